// The first visit of all: from the link that an empty Dewline prints to a site that reports.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { emptyHouse } from "./house.mjs";

const LOCK = {
  packages: [
    { name: "drupal/core", version: "11.1.0", type: "drupal-core" },
    { name: "drupal/token", version: "1.15.0", type: "drupal-module" },
  ],
  "packages-dev": [],
};

/** What a field is told is wrong with it. */
const fault = (page, field) => page.textContent(`#d-${field} .err`, { timeout: 5_000 });
const heading = async (page) => (await page.textContent("h1")).trim();

export async function first({ browser, test, assert }) {
  await test("from the printed link to the first site: the form says what is wrong, the link works once, the shown line turns the light green", async () => {
    const empty = await emptyHouse();
    const folder = mkdtempSync(join(tmpdir(), "dewline-project-"));
    const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
    try {
      const page = await context.newPage();
      await page.goto(empty.url);
      assert((await heading(page)) === "Nobody can sign in yet", await heading(page));
      await page.goto(empty.link);
      assert((await heading(page)) === "Create the administrator", await heading(page));

      await page.click("main form button.primary");
      const refused = await page.$$eval("main input:invalid", (all) => all.map((input) => input.name).join());
      assert(refused === "name,email,password", `the browser itself refuses ${refused}`);
      await page.$eval("main form", (form) => { form.noValidate = true; });
      await page.fill("#f-name", "   ");
      await page.fill("#f-email", "nobody at home");
      await page.fill("#f-password", "eleven-long");
      await page.click("main form button.primary");
      assert((await fault(page, "name")) === "A name is needed.", await fault(page, "name"));
      assert((await fault(page, "email")).includes("such as name@example.org"), await fault(page, "email"));
      assert((await fault(page, "password")).includes("at least 12 characters"), await fault(page, "password"));
      assert((await page.inputValue("#f-email")) === "nobody at home", "what was typed is kept");
      assert((await page.inputValue("#f-password")) === "", "a password is never given back");

      await page.fill("#f-name", "First Administrator");
      await page.fill("#f-email", "first@dewline.example");
      await page.fill("#f-password", "a password of four words");
      await Promise.all([page.waitForURL(`${empty.url}/sites/new`), page.click("main form button.primary")]);
      assert((await heading(page)) === "Connect your first site", await heading(page));

      await page.fill("#f-name", "www.first.example");
      await page.fill("#f-url", "www.first.example");
      await page.fill("#f-new_organization", "First client");
      await page.click("main form button.primary");
      assert((await fault(page, "url")) === "Address must begin with http:// or https://.", await fault(page, "url"));
      await page.fill("#f-url", "https://www.first.example");
      await Promise.all([page.waitForURL(/\/sites\/\d+\/connect$/), page.click("main form button.primary")]);
      assert((await page.textContent("#light")).includes("Nothing has arrived"), "it waits");
      writeFileSync(join(folder, "composer.lock"), JSON.stringify(LOCK));
      await promisify(execFile)("sh", ["-c", await page.textContent("#lock")], { cwd: folder });
      await page.waitForSelector("#light.on", { timeout: 15_000 });
      assert((await page.textContent("#light")).includes("2 modules"), await page.textContent("#light"));
      await page.click("#light a.primary");
      assert((await heading(page)) === "www.first.example", await heading(page));
      assert((await page.textContent("table")).includes("11.1.0"), "the site shows what was sent");

      const stranger = await browser.newContext();
      const again = await stranger.newPage();
      const answer = await again.goto(empty.link);
      assert(answer.status() === 404, `the used link got ${answer.status()}`);
      assert((await heading(again)) === "This link no longer works", await heading(again));
      await again.click("main a[href='/sign-in']");
      await again.fill("#email", "first@dewline.example");
      await again.fill("#password", "a password of four words");
      await Promise.all([again.waitForURL(`${empty.url}/`), again.click("main button")]);
      await stranger.close();
    } finally {
      await context.close();
      await empty.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
