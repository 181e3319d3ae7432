// The picture of a plan in a real browser: nothing fetched, nothing said on the console, no axe
// violations, nothing wider than a phone, and a PDF. Needs a Chromium: $CHROMIUM or the system's.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const [url, keysFile, folder, shots] = process.argv.slice(2);
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));
if (!executablePath) {
  console.log("skip picture of a plan: no Chromium here (apt-get install chromium)");
  process.exit(0);
}
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { phone: [390, 844], desktop: [1280, 900] };
const WITHIN_MS = 60_000;

async function ask(query) {
  const key = JSON.parse(readFileSync(keysFile, "utf8")).CHARITY_OFFICER;
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${key}` };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined);
  return data;
}

// The link that an officer clicks; a plan is made where there is none.
async function link() {
  const asked = () => ask("{ plans(first: 1) { nodes { status reportLink } } }");
  let [plan] = (await asked()).plans.nodes;
  if (!plan) await ask("mutation { planCreate(input: {}) { plan { id } } }");
  for (const until = Date.now() + WITHIN_MS; !plan?.reportLink; ) {
    assert.ok(Date.now() < until, `the plan is still ${plan?.status}`);
    await new Promise((done) => setTimeout(done, 300));
    [plan] = (await asked()).plans.nodes;
  }
  return new URL(plan.reportLink, url).href;
}

async function look(browser, address, name, locale) {
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    const page = await browser.newPage({ viewport: { width, height }, locale });
    const said = [];
    const fetched = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("request", (request) => fetched.push(request.url()));
    await page.goto(address, { timeout: WITHIN_MS });
    const images = page.locator("img");
    for (const image of await images.all()) {
      assert.ok(await image.evaluate((img) => img.complete && img.naturalWidth > 0), "a chart");
      assert.ok(await image.getAttribute("alt"));
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} pixels on a ${size} of ${width}`);
    if (shots) {
      mkdirSync(shots, { recursive: true });
      await page.screenshot({ path: join(shots, `${name}-${size}.png`), fullPage: true });
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
    await page.emulateMedia({ media: "print" });
    const pdf = await page.pdf({ format: "A4", printBackground: true });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.deepEqual(said, [], "the console");
    const foreign = fetched.filter((one) => one !== address && !one.startsWith("data:"));
    assert.deepEqual(foreign, [], "nothing is fetched");
    await page.close();
  }
}

const pages = (folder ? readdirSync(folder) : [])
  .filter((name) => name.endsWith(".html"))
  .map((name) => [name.replace(".html", ""), pathToFileURL(resolve(folder, name)).href, "zh-CN"]);
if (keysFile) pages.push(["served", await link(), "zh-CN"]);

let failed = 0;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const [name, address, locale] of pages) {
  try {
    await look(browser, address, name, locale);
    console.log(`ok   picture of a plan in a browser: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL picture of a plan in a browser: ${name}\n     ${error.message}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
