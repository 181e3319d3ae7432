"use strict";

const STATUS = { SUBMITTED: "待处理 · waiting", REGISTERED: "已登记 · registered", REJECTED: "不予受理 · rejected" };
const SUBMIT = `mutation ($input: ApplicationSubmitInput!) {
  applicationSubmit(input: $input) { receipt { reference } userErrors { message } }
}`;
const CODE = `mutation ($input: ApplicationCodeRequestInput!) {
  applicationCodeRequest(input: $input) { accepted userErrors { message } }
}`;
const LOOK = `query ($reference: String!, $code: String!) {
  applicationStatus(reference: $reference, code: $code) { status reason }
}`;

const form = (id) => document.getElementById(id);
const given = (id) => Object.fromEntries([...new FormData(form(id))].filter(([, value]) => value));

async function ask(query, variables) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors.map((error) => error.message).join("\n"));
  const [found] = Object.values(data);
  if (found?.userErrors?.length) throw new Error(found.userErrors.map((error) => error.message).join("\n"));
  return found;
}

function on(id, act) {
  form(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const [button, output] = [form(id).querySelector("button"), form(id).querySelector("output")];
    button.disabled = true;
    try {
      output.textContent = await act();
    } catch (trouble) {
      output.textContent = trouble.message;
    } finally {
      button.disabled = false;
    }
  });
}

// The same key until it went through: a second press on a bad line applies once.
const fresh = () => crypto.randomUUID?.() ?? String(Math.random());
let key = fresh();
const region = new URLSearchParams(location.search).get("region");
if (region) form("apply").elements.regionCode.value = region;

on("apply", async () => {
  const input = { ...given("apply"), channel: region ? "QR" : "WEB", idempotencyKey: key };
  const { receipt } = await ask(SUBMIT, { input });
  key = fresh();
  form("code").elements.reference.value = receipt.reference;
  form("code").elements.phone.value = input.phone;
  return `已收到，请记下申请编号：${receipt.reference}\nReceived. Keep this reference.`;
});
on("code", async () => {
  await ask(CODE, { input: given("code") });
  return "如编号与电话相符，验证码已发送。\nIf both fit, a code is on its way.";
});
on("status", async () => {
  const variables = { reference: given("code").reference ?? "", code: given("status").code };
  const found = await ask(LOOK, variables);
  if (found === null) return "编号与验证码不符。\nReference and code do not belong together.";
  return [STATUS[found.status], found.reason].filter(Boolean).join("\n");
});
