// The 61 checks of the GraphQL-over-HTTP specification; each one has to be "ok", not "warn".
import { auditServer } from "graphql-http";

const url = process.argv[2];
if (!url) {
  console.error("usage: node audit.mjs URL");
  process.exit(2);
}

const results = await auditServer({ url, fetchFn: fetch });
const bad = results.filter((result) => result.status !== "ok");
for (const result of bad) {
  console.log(`  ${result.status.toUpperCase()} ${result.id} ${result.name}`);
  console.log(`      ${result.reason ?? ""}`);
}
console.log(
  `${bad.length ? "FAIL" : "ok  "} graphql-http audit: ` +
    `${results.length - bad.length} of ${results.length} ok`,
);
process.exit(bad.length || results.length < 61 ? 1 : 0);
