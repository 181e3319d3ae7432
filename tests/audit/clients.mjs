// Real clients against a running server: urql, Apollo, graphql-ws and graphql-sse.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { cacheExchange, createClient as createUrql, fetchExchange } from "@urql/core";
import { subscriptionExchange } from "@urql/core";
import { createClient as createSse } from "graphql-sse";
import { createClient as createWs } from "graphql-ws";
import WebSocket from "ws";

const [url, keysFile] = process.argv.slice(2);
if (!url) {
  console.error("usage: node clients.mjs URL [KEYS.json]");
  process.exit(2);
}
const socketUrl = url.replace(/^http/, "ws");
const key = keysFile ? JSON.parse(readFileSync(keysFile, "utf8")).CHARITY_OFFICER : undefined;
const headers = key ? { Authorization: `Bearer ${key}` } : {};
const ROLE = key ? "CHARITY_OFFICER" : "PUBLIC";
const WHO = "query Who { viewer { __typename role } }";
const WITHIN_MS = 20_000;

let failed = 0;
async function check(name, run) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), WITHIN_MS);
  });
  try {
    await Promise.race([run(), late]);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n     ${error.stack ?? error}`);
  } finally {
    clearTimeout(timer);
  }
}

// ---------------------------------------------------------------- urql

const urql = (more = {}) =>
  createUrql({
    url,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers },
    preferGetMethod: false,
    ...more,
  });

await check("urql: a query by POST", async () => {
  const { data, error } = await urql().query(WHO, {}).toPromise();
  assert.equal(error, undefined);
  assert.equal(data.viewer.role, ROLE);
});

await check("urql: a query by GET", async () => {
  const { data, error } = await urql({ preferGetMethod: "force" }).query(WHO, {}).toPromise();
  assert.equal(error, undefined);
  assert.equal(data.viewer.role, ROLE);
});

await check("urql: a mistake in a query arrives as a GraphQL error with its code", async () => {
  const { error } = await urql().query("{ nothingLikeIt }", {}).toPromise();
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

// ---------------------------------------------------------------- Apollo

const apollo = (link) => new ApolloClient({ link, cache: new InMemoryCache() });

await check("Apollo: a query, then the same from its cache", async () => {
  const client = apollo(new HttpLink({ uri: url, headers, fetch }));
  for (const fetchPolicy of ["network-only", "cache-only"]) {
    const { data } = await client.query({ query: gql(WHO), fetchPolicy });
    assert.equal(data.viewer.role, ROLE);
  }
});

await check("Apollo: a query by GET", async () => {
  const client = apollo(
    new HttpLink({ uri: url, headers, fetch, useGETForQueries: true }),
  );
  const { data } = await client.query({ query: gql(WHO) });
  assert.equal(data.viewer.role, ROLE);
});

await check("Apollo: a bad key is told as UNAUTHENTICATED", async () => {
  const bad = { Authorization: "Bearer nobody" };
  const client = apollo(new HttpLink({ uri: url, headers: bad, fetch }));
  await assert.rejects(client.query({ query: gql(WHO) }), (error) => {
    assert.match(JSON.stringify(error) + error.bodyText, /UNAUTHENTICATED/);
    return true;
  });
});

// ---------------------------------------------------------------- graphql-ws

const ws = (more = {}) =>
  createWs({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
    lazy: true,
    ...more,
  });

const all = async (client, request) => {
  const values = [];
  for await (const value of client.iterate(request)) values.push(value);
  return values;
};

await check("graphql-ws: fifty queries at once on one socket", async () => {
  const client = ws();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => all(client, { query: WHO })),
  );
  for (const [answer] of answers) assert.equal(answer.data.viewer.role, ROLE);
  await client.dispose();
});

await check("graphql-ws: a syntax error ends its operation and not the socket", async () => {
  let closed = 0;
  const client = ws({ lazyCloseTimeout: 5_000, on: { closed: () => (closed += 1) } });
  await assert.rejects(all(client, { query: "{ viewer {" }), (errors) => {
    assert.equal(errors[0].extensions.code, "GRAPHQL_PARSE_FAILED");
    return true;
  });
  const [answer] = await all(client, { query: WHO });
  assert.equal(answer.data.viewer.role, ROLE);
  assert.equal(closed, 0);
  await client.dispose();
});

await check("graphql-ws: a bad key closes the socket with 4403", async () => {
  const client = ws({ connectionParams: { Authorization: "Bearer nobody" } });
  await assert.rejects(all(client, { query: WHO }), (event) => {
    assert.equal(event.code, 4403);
    return true;
  });
});

await check("Apollo over graphql-ws: a query", async () => {
  const client = ws();
  const { data } = await apollo(new GraphQLWsLink(client)).query({ query: gql(WHO) });
  assert.equal(data.viewer.role, ROLE);
  await client.dispose();
});

// ---------------------------------------------------------------- graphql-sse

const sse = () => createSse({ url, headers, retryAttempts: 0, fetchFn: fetch });

await check("graphql-sse: a query as a stream of one", async () => {
  const client = sse();
  const [answer] = await all(client, { query: WHO });
  assert.equal(answer.data.viewer.role, ROLE);
  client.dispose();
});

// ---------------------------------------------------------------- subscriptions

const SCHEMA = "{ __schema { subscriptionType { fields { name } } } }";
const { data: about } = await urql().query(SCHEMA, {}).toPromise();
const followable = about.__schema.subscriptionType?.fields.map((field) => field.name) ?? [];

if (key && followable.includes("planProgress")) {
  const { follow } = await import("./subscriptions.mjs");
  await follow({ check, urql, apollo, ws, sse, all, url, subscriptionExchange });
} else {
  console.log("     (subscriptions need a KEYS.json with the key of a CHARITY_OFFICER)");
}

console.log(failed ? `FAIL ${failed} checks of the clients` : "ok   all clients");
process.exit(failed ? 1 : 0);
