// Looks at the pages in Chromium, as src/web/tests/browser.rs asks: nothing in the console, no
// violation of the page's own security policy, nothing that axe-core finds, no text over another,
// no page wider than the screen, the commands that are copied are those of `check`, and a change is
// seen without a reload.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { states, live, pictures } = JSON.parse(readFileSync(0, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1366, height: 850 };
const WALL = { width: 3840, height: 2160 };
/** Budget of the first page, all of it, in bytes on the wire. */
const FIRST_PAGE = 100_000;

const wrong = [];
/** Notes what is wrong and goes on, so that one run tells all. */
function expect(is, what) {
  if (!is) {
    wrong.push(what);
    console.log(`WRONG ${what}`);
  }
}

/** A page that notes what a reader would never see. */
async function open(context, url, name) {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) expect(false, `${name}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => expect(false, `${name}: script: ${error}`));
  page.on("requestfailed", (request) => {
    const stream = request.url().endsWith("/events");
    if (!stream) expect(false, `${name}: not fetched: ${request.url()}`);
  });
  page.on("dialog", () => expect(false, `${name}: a dialog opened`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(url, { waitUntil: "load" });
  return page;
}

async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, help, nodes } of violations) {
    expect(false, `${name}: axe: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
  }
}

/** Texts of the picture that cover each other, as the browser has drawn them. */
function overlaps() {
  const visible = [...document.querySelectorAll("svg.overlay")].find((svg) => svg.getBoundingClientRect().width > 0);
  if (!visible) return [];
  const texts = [...visible.querySelectorAll("text")];
  const boxes = texts.map((text) => text.getBoundingClientRect());
  const found = [];
  for (let one = 0; one < boxes.length; one += 1) {
    for (let other = one + 1; other < boxes.length; other += 1) {
      const [a, b] = [boxes[one], boxes[other]];
      const apart = a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 3 || b.bottom <= a.top + 3;
      if (!apart) found.push(`${texts[one].textContent} / ${texts[other].textContent}`);
    }
  }
  return found;
}

/** What hangs over the right edge of the screen. */
function tooWide() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}

async function shoot(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  const clip = await page.evaluate(() => ({ height: document.documentElement.scrollHeight }));
  const { width } = page.viewportSize();
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(clip.height, 2600) } });
}

/** The commands that `check` prints, by its indentation. */
function ofCheck(text) {
  return text.split("\n").filter((line) => line.startsWith("      ")).map((line) => line.trim());
}

async function look(state, viewport, colorScheme) {
  const screen = `${viewport.width}-${colorScheme}`;
  const name = `${state.name} ${screen}`;
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await open(context, state.url, name);
  expect((await page.evaluate(tooWide)) <= 0, `${name}: wider than the screen by ${await page.evaluate(tooWide)}`);
  for (const pair of (await page.evaluate(overlaps)).slice(0, 5)) expect(false, `${name}: text over text: ${pair}`);
  await accessible(page, name);
  await shoot(page, `page-${state.name}-${viewport.width}-${colorScheme}`);
  await context.close();
}

/** The pages that the first page leads to. */
async function follow(state) {
  const context = await browser.newContext({ viewport: LAPTOP });
  const page = await open(context, state.url, state.name);
  const hrefs = await page.evaluate(() => [...document.querySelectorAll("main table a")].map((a) => a.href));
  const kinds = ["/path/", "/tunnel/", "/router/"];
  const few = state.name === "hostile" ? hrefs.filter((href) => href.includes("/path/")) : kinds.map((kind) => hrefs.find((href) => href.includes(kind)));
  for (const href of new Set(few.filter(Boolean))) {
    const one = await open(context, href, `${state.name} ${href}`);
    const found = await one.evaluate(() => document.querySelector("h1").textContent);
    expect(!found.includes("Not found"), `${state.name}: ${href} leads nowhere`);
    expect((await one.evaluate(tooWide)) <= 0, `${state.name} ${href}: wider than the screen`);
    await accessible(one, `${state.name} ${href}`);
    const kind = new URL(href).pathname.split("/")[1];
    if (state.name === "hole" || (state.name === "mismatch" && kind === "tunnel")) await shoot(one, `page-${state.name}-${kind}-${LAPTOP.width}-light`);
    await one.setViewportSize(PHONE);
    expect((await one.evaluate(tooWide)) <= 0, `${state.name} ${href}: wider than a phone`);
    if (state.name === "hole" && kind === "path") await shoot(one, `page-${state.name}-${kind}-${PHONE.width}-light`);
    await one.close();
  }
  await context.close();
}

async function copies(state) {
  const context = await browser.newContext({ viewport: LAPTOP, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await open(context, state.url, state.name);
  const copied = [];
  for (const button of await page.locator("button.copy").all()) {
    await button.click();
    copied.push(...(await page.evaluate(() => navigator.clipboard.readText())).split("\n"));
  }
  assert.deepEqual(copied, ofCheck(state.check), `${state.name}: the copied commands are those of check`);
  await context.close();
}

async function budget(state) {
  const context = await browser.newContext({ viewport: LAPTOP });
  const page = await context.newPage();
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  let bytes = 0;
  wire.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(state.url, { waitUntil: "load" });
  console.log(`${state.name}: ${bytes} bytes on the wire`);
  expect(bytes < FIRST_PAGE, `${state.name}: ${bytes} bytes on the wire`);
  await context.close();
}

async function change() {
  const context = await browser.newContext({ viewport: LAPTOP });
  const page = await open(context, live, "live");
  await page.getByText("Nothing is wrong").waitFor();
  await page.evaluate(() => { window.sameDocument = true; });
  for (const [word, awaited] of [["CHANGE", "Something is wrong"], ["CHANGE BACK", "Nothing is wrong"]]) {
    const began = Date.now();
    console.log(word);
    await page.getByText(awaited).waitFor({ timeout: 30_000 });
    const took = Date.now() - began;
    console.log(`live: seen after ${took} ms`);
    expect(took < 3000, `live: seen only after ${took} ms`);
  }
  expect(await page.evaluate(() => window.sameDocument === true), "live: the page was loaded again");
  await context.close();
}

async function withoutScript(state) {
  const context = await browser.newContext({ viewport: PHONE, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(state.url);
  expect((await page.locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").count()) === 1, `${state.name}: no refresh without a script`);
  await page.getByRole("button", { name: "Reload" }).click();
  expect((await page.locator("svg.overlay").count()) > 0, `${state.name}: no picture without a script`);
  await context.close();
}

/** The button of a path: what comes of it is seen as it comes, and twice is too often. */
async function probeNow() {
  const context = await browser.newContext({ viewport: LAPTOP });
  const page = await open(context, `${live}/path/rancher`, "probe now");
  await page.getByRole("button", { name: "Probe now" }).click();
  await page.getByText("Probed", { exact: false }).waitFor({ timeout: 30_000 });
  await page.evaluate(() => { window.sameDocument = true; });
  await page.getByText("10 of 10 small packets answered").waitFor({ timeout: 30_000 });
  expect(await page.evaluate(() => window.sameDocument === true), "probe now: the page was loaded again");
  await accessible(page, "probe now");
  await shoot(page, `page-probed-${LAPTOP.width}-light`);
  const again = await context.newPage();
  await again.goto(`${live}/path/rancher`);
  await again.getByRole("button", { name: "Probe now" }).click();
  await again.getByRole("heading", { name: "Not probed" }).waitFor();
  await accessible(again, "probe now, refused");
  await context.close();
  const bare = await browser.newContext({ viewport: PHONE, javaScriptEnabled: false });
  const form = await bare.newPage();
  await form.goto(`${live}/path/node-b`);
  await form.getByRole("button", { name: "Probe now" }).click();
  await form.getByText(/begins at once|Probed/).waitFor();
  expect(new URL(form.url()).pathname === "/path/node-b", `probe now without a script: at ${form.url()}`);
  await bare.close();
}

/** A browser without server-sent events gets the page, and nothing breaks. */
async function oldBrowser(state) {
  const context = await browser.newContext({ viewport: LAPTOP });
  await context.addInitScript(() => { delete window.EventSource; });
  const page = await open(context, state.url, `${state.name} without events`);
  expect((await page.locator("svg.overlay").count()) > 0, `${state.name}: no picture without events`);
  expect((await page.locator("button.copy:visible").count()) > 0, `${state.name}: no copy button without events`);
  await context.close();
}

/** With the keyboard alone: past the navigation, and a command copied. */
async function keyboard(state) {
  const context = await browser.newContext({ viewport: LAPTOP, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await open(context, state.url, `${state.name} by keyboard`);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  expect(first === "Skip to the content", `${state.name}: the first stop is ${first}`);
  await page.keyboard.press("Enter");
  for (let stops = 0; stops < 200; stops += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.matches("button.copy"))) break;
  }
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copied" }).waitFor({ timeout: 10_000 });
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.startsWith("configure\n"), `${state.name}: by keyboard ${copied} was copied`);
  await context.close();
}

/** A reader whose browser wants Japanese; then one who asks for a language by the address. */
async function japanese(state) {
  const context = await browser.newContext({ viewport: LAPTOP, locale: "ja-JP" });
  const name = `${state.name} ja`;
  const page = await open(context, state.url, name);
  const language = () => page.evaluate(() => document.documentElement.lang);
  expect((await language()) === "ja", `${name}: the page is ${await language()}`);
  for (const pair of (await page.evaluate(overlaps)).slice(0, 5)) expect(false, `${name}: text over text: ${pair}`);
  expect((await page.evaluate(tooWide)) <= 0, `${name}: wider than the screen`);
  await accessible(page, name);
  await shoot(page, `page-${state.name}-ja-${LAPTOP.width}-light`);
  await page.setViewportSize(PHONE);
  for (const pair of (await page.evaluate(overlaps)).slice(0, 5)) expect(false, `${name} on a phone: text over text: ${pair}`);
  expect((await page.evaluate(tooWide)) <= 0, `${name}: wider than a phone`);
  await page.setViewportSize(LAPTOP);
  await page.getByRole("link", { name: "English", exact: true }).click();
  // The next click would break off what is still being fetched.
  await page.waitForLoadState();
  expect((await language()) === "en", `${name}: the link to English leads to ${await language()}`);
  const things = page.locator("main table a");
  if (state.name !== "empty") {
    await things.first().click();
    await page.waitForLoadState();
    expect((await language()) === "en", `${name}: the next page forgets the language`);
  }
  await page.getByRole("link", { name: "日本語", exact: true }).click();
  await page.waitForLoadState();
  expect((await language()) === "ja", `${name}: the link to Japanese leads to ${await language()}`);
  await accessible(page, `${name} of one thing`);
  await context.close();
}

for (const state of states) {
  await look(state, PHONE, "light");
  await look(state, LAPTOP, "dark");
  if (state.name === "hole") {
    await look(state, PHONE, "dark");
    await look(state, LAPTOP, "light");
    await look(state, WALL, "light");
  }
  if (["hole", "mismatch", "router-down", "empty", "mesh"].includes(state.name)) await japanese(state);
  await follow(state);
  await budget(state);
}
await copies(states.find((state) => state.name === "hole"));
await withoutScript(states.find((state) => state.name === "hole"));
await oldBrowser(states.find((state) => state.name === "hole"));
await keyboard(states.find((state) => state.name === "hole"));
await probeNow();
await change();
await browser.close();
if (wrong.length > 0) {
  console.log(`${wrong.length} things are wrong`);
  process.exit(1);
}
