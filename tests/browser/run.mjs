// Every page of Dewline in headless Chromium, on the demo's data: at both widths and in both themes,
// with axe; then what people do: by keyboard, without scripts, on paper, from nothing to a connected site.
// The list of pages is pages.txt, which a test in Rust holds equal to the router's table.
//
//   node run.mjs [--url URL --email E --password P] [--only WORD]
//
// The last line is "N passed, N failed". Pictures are left in screenshots/.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { house } from "./house.mjs";
import { deeds } from "./deeds.mjs";
import { proof } from "./proof.mjs";
import { first } from "./first.mjs";
import { account } from "./account.mjs";
import { media } from "./media.mjs";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const here = (file) => new URL(file, import.meta.url).pathname;
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : "";

const WIDTHS = [[1366, 768], [390, 844]];
const THEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// Asked for by a page while it waits; a part of a page, not a page.
const PARTS = ["/sites/{id}/connect/light"];
const OPEN = ["/set-up", "/sign-in", "/forgotten", "/reset", "/invitation", "/api/docs", "/api/docs?q=filter", "/api/docs/sites"];

let passed = 0;
let failed = 0;
export async function test(name, body) {
  if (only && !name.includes(only)) return;
  try {
    await body();
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}\n  ${String(error.message ?? error).split("\n").slice(0, 12).join("\n  ")}`);
  }
}

export function assert(truth, said) {
  if (!truth) throw new Error(said);
}

export async function signIn(page, home) {
  await page.goto(`${home.url}/sign-in`);
  await page.fill("#email", home.email);
  await page.fill("#password", home.password);
  await Promise.all([page.waitForURL((url) => !url.pathname.startsWith("/sign-in")), page.click("main button")]);
}

const links = (page, pattern) =>
  page.$$eval("main a[href]", (all, source) => all.map((a) => a.getAttribute("href")).filter((href) => new RegExp(source).test(href)), pattern.source);

/** The pages of the table with real ids in them: the most telling site, module, organization, key. */
async function addresses(page, home) {
  const first = async (path, pattern) => {
    await page.goto(home.url + path);
    return (await links(page, pattern))[0];
  };
  const worst = await first("/sites", /^\/sites\/\d+$/);
  const silent = await first("/sites?view=silent", /^\/sites\/\d+$/);
  const unknown = await first("/sites?view=unknown", /^\/sites\/\d+$/);
  const exposure = await first("/exposures", /^\/exposures\/\d+$/);
  const run = await first("/patch-runs", /^\/patch-runs\/\d+$/);
  const module = await first("/modules", /^\/modules\/\d+$/);
  const advisory = await first("/advisories", /^\/advisories\/[A-Z]/);
  const organization = await first("/organizations", /^\/organizations\/\d+$/);
  const members = `${organization}/members`;
  const member = await first(members, /^\/organizations\/\d+\/members\/\d+$/);
  const user = await first("/users", /^\/users\/\d+$/);
  const role = (await (async () => { await page.goto(`${home.url}/roles`); return links(page, /^\/roles\/\d+$/); })()).at(-1);
  const key = await first(`${worst}/keys`, /^\/api-keys\/\d+\/revoke$/);
  const leaving = await first("/account/organizations", /^\/account\/organizations\/\d+\/leave$/);
  const chapters = await (async () => { await page.goto(`${home.url}/manual`); return links(page, /^\/manual\/[a-z-]+$/); })();
  const all = [];
  for (const path of readFileSync(here("pages.txt"), "utf8").split("\n").filter(Boolean)) {
    if (PARTS.includes(path) || OPEN.includes(path)) continue;
    if (path.startsWith("/sites/{id}")) all.push(path.replace("/sites/{id}", worst));
    else if (path.startsWith("/exposures/{id}")) all.push(path.replace("/exposures/{id}", exposure));
    else if (path.startsWith("/patch-runs/{id}")) all.push(path.replace("/patch-runs/{id}", run));
    else if (path.startsWith("/modules/{id}")) all.push(path.replace("/modules/{id}", module));
    // Only where the demo's drupal.org has told of one.
    else if (path === "/advisories/{id}") all.push(advisory);
    else if (path.startsWith("/organizations/{id}/members/{user_id}")) all.push(path.replace("/organizations/{id}/members/{user_id}", member));
    else if (path.startsWith("/users/{id}")) all.push(path.replace("/users/{id}", user));
    else if (path.startsWith("/roles/{id}")) all.push(path.replace("/roles/{id}", role));
    // Only where the visitor belongs to one.
    else if (path === "/account/organizations/{organization_id}/leave") all.push(leaving);
    else if (path.startsWith("/organizations/{id}")) all.push(path.replace("/organizations/{id}", organization));
    else if (path.startsWith("/api-keys/{id}")) all.push(path.replace("/api-keys/{id}", key.replace(/\/revoke$/, "")));
    else if (path === "/api/docs/{resource}") all.push("/api/docs/api-keys");
    else if (path === "/manual/{chapter}") all.push(...chapters);
    else { assert(!path.includes("{"), `no example is known for ${path}`); all.push(path); }
  }
  const more = ["/exposures?view=clients", "/exposures?view=snoozed", "/exposures?view=needs-core", "/patch-runs?view=claimed", "/reports/security-updates?organization_id=1&risk=critical&from=2026-01-01", silent, unknown, "/sites?view=fine&sort=-name", "/sites?q=nothing-has-this-name", "/advisories?q=nothing-has-this-id", "/advisories?view=affected", "/audit?filter%5Bactor%5D%5Bcontains%5D=nobody-has-this-name", "/sites?filter%5Benvironment%5D=production&page=2", "/nowhere"];
  return [...new Set([...all, ...more].filter(Boolean))];
}

const nameOf = (path) => path.replace(/^\//, "").replace(/[^a-z0-9-]+/gi, "_") || "overview";

/** Takes a picture of the page as it is, and has it judged. */
async function look(page, name) {
  await page.screenshot({ path: here(`screenshots/${name}.png`), fullPage: true });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(sideways <= 0, `${name} scrolls ${sideways} px sideways`);
  await page.evaluate(axe);
  const violations = await page.evaluate(
    async (rules) => (await axe.run(document, { runOnly: rules })).violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? n.all[0]?.message ?? ""}`).join(" | ")}`),
    RULES,
  );
  assert(violations.length === 0, `${name}: ${violations.join("\n")}`);
}

/** The same at both widths and in both themes, for what is shown once and can't be visited again. */
async function lookAround(page, name) {
  const before = page.viewportSize();
  for (const [width, height] of WIDTHS) {
    for (const colorScheme of THEMES) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await look(page, `${name}-${colorScheme}-${width}`);
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null });
}

async function visit(context, home, path, label) {
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  try {
    const answer = await page.goto(home.url + path, { waitUntil: "load" });
    const wanted = ["/nowhere", "/set-up", "/reset", "/invitation"].includes(path) ? [404, 200] : [200];
    assert(wanted.includes(answer.status()), `status ${answer.status()}`);
    await page.evaluate(() => document.fonts.ready);
    await look(page, `${nameOf(path)}-${label}`);
    // The address of the page that isn't there is itself a console error.
    const own = complaints.filter((text) => !(answer.status() === 404 && text.includes("404")));
    assert(own.length === 0, own.join("\n"));
  } finally {
    await page.close();
  }
}

const home = await house();
rmSync(here("screenshots"), { recursive: true, force: true });
mkdirSync(here("screenshots"), { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, home);
  const paths = await addresses(page, home);
  const state = await context.storageState();
  await context.close();
  for (const [width, height] of WIDTHS) {
    for (const colorScheme of THEMES) {
      const label = `${colorScheme}-${width}`;
      const inside = await browser.newContext({ storageState: state, viewport: { width, height }, colorScheme });
      for (const path of paths) await test(`${path} ${label}`, () => visit(inside, home, path, label));
      await inside.close();
      const outside = await browser.newContext({ viewport: { width, height }, colorScheme });
      for (const path of OPEN) await test(`${path} ${label}`, () => visit(outside, home, path, label));
      await outside.close();
    }
  }
  await deeds({ browser, home, state, test, assert, signIn });
  await proof({ browser, home, state, test, assert });
  await media({ browser, home, state, test, assert });
  await first({ browser, test, assert });
  await account({ browser, test, assert, lookAround });
} finally {
  await browser.close();
  await home.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
