// A plan is created and followed to its end by each client, over websockets and event streams.
import assert from "node:assert/strict";

import { gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { fetchExchange } from "@urql/core";

const CREATE =
  "mutation { planCreate(input: {kind: SIMULATION}) { plan { id } userErrors { field code } } }";
const FOLLOW =
  "subscription Follow($id: ID!) { planProgress(planId: $id) { status progress stageLabel } }";
const DONE = ["PROPOSED", "FAILED", "CANCELLED"];

export async function follow({ check, urql, apollo, ws, sse, all, subscriptionExchange }) {
  const created = async () => {
    const { data, error } = await urql().mutation(CREATE, {}).toPromise();
    assert.equal(error, undefined);
    assert.deepEqual(data.planCreate.userErrors, []);
    return data.planCreate.plan.id;
  };
  const ended = (events) => {
    assert.ok(events.length >= 1, "no event");
    assert.ok(DONE.includes(events.at(-1).status), `ends as ${events.at(-1).status}`);
    assert.equal(events.at(-1).status, "PROPOSED");
  };
  const observed = (observable) =>
    new Promise((resolve, reject) => {
      const events = [];
      observable.subscribe({
        next: (value) => events.push(value.data.planProgress),
        error: reject,
        complete: () => resolve(events),
      });
    });

  await check("graphql-ws: a plan is followed to its end", async () => {
    const client = ws();
    const answers = await all(client, { query: FOLLOW, variables: { id: await created() } });
    ended(answers.map((answer) => answer.data.planProgress));
    await client.dispose();
  });

  await check("graphql-sse: a plan is followed to its end", async () => {
    const client = sse();
    const answers = await all(client, { query: FOLLOW, variables: { id: await created() } });
    ended(answers.map((answer) => answer.data.planProgress));
    client.dispose();
  });

  await check("Apollo over graphql-ws: a plan is followed to its end", async () => {
    const client = ws();
    const query = gql(FOLLOW);
    const variables = { id: await created() };
    ended(await observed(apollo(new GraphQLWsLink(client)).subscribe({ query, variables })));
    await client.dispose();
  });

  await check("urql over graphql-ws: a plan is followed to its end", async () => {
    const socket = ws();
    const forward = ({ query, variables }) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
    });
    const exchanges = [subscriptionExchange({ forwardSubscription: forward })];
    ended(await followedByUrql(urql({ exchanges }), await created()));
    await socket.dispose();
  });

  await check("urql over server-sent events: a plan is followed to its end", async () => {
    const client = urql({ exchanges: [fetchExchange], fetchSubscriptions: true });
    ended(await followedByUrql(client, await created()));
  });

  await check("an id that is none is told as INVALID_ID", async () => {
    const client = ws();
    const wrong = all(client, { query: FOLLOW, variables: { id: "garbage" } });
    const answer = await wrong.catch((errors) => [{ errors }]);
    assert.equal(answer[0].errors[0].extensions.code, "INVALID_ID");
    await client.dispose();
  });
}

// urql tells no end of a subscription to `subscribe`; the last event is known by its status.
function followedByUrql(client, id) {
  return new Promise((resolve, reject) => {
    const events = [];
    const { unsubscribe } = client.subscription(FOLLOW, { id }).subscribe(({ data, error }) => {
      if (error) return reject(error);
      events.push(data.planProgress);
      if (DONE.includes(data.planProgress.status)) {
        resolve(events);
        queueMicrotask(() => unsubscribe());
      }
    });
  });
}
