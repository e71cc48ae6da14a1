// A person's account in a Dewline of its own: the second step from the QR code to a lost phone, browsers
// that are remembered and forgotten, a lost password, and the way out.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { emptyHouse } from "./house.mjs";

const EMAIL = "first@dewline.example";
const PASSWORD = "a password of four words";
const NEW_PASSWORD = "seven grey herons wait";
const STEP = 30_000;

/** What an authenticator app shows for a secret in base 32, `later` steps from now. */
function code(secret, later = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/\s/g, "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP) + later));
  const hash = createHmac("sha1", key).update(step).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Waits until no code can change while it is on its way. */
const freshStep = async () => {
  const left = STEP - (Date.now() % STEP);
  if (left < 5_000) await new Promise((go) => setTimeout(go, left + 100));
};

const where = (page) => new URL(page.url()).pathname;
const text = (page, selector = "main") => page.textContent(selector);
const press = (page, selector, to) => Promise.all([page.waitForURL((url) => url.pathname === to), page.click(selector)]);

export async function account({ browser, test, assert, lookAround }) {
  await test("account: from the QR code to a lost phone, a lost laptop and a lost password", async () => {
    const house = await emptyHouse();
    const opened = [];
    const fresh = async () => {
      const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, acceptDownloads: true });
      opened.push(context);
      return context.newPage();
    };
    const enter = async (page, password = PASSWORD) => {
      await page.goto(`${house.url}/sign-in`);
      await page.fill("#email", EMAIL);
      await page.fill("#password", password);
      await Promise.all([page.waitForURL((url) => url.pathname !== "/sign-in"), page.click("main button.primary")]);
    };
    const leave = (page) => press(page, ".side form[action='/sign-out'] button", "/sign-in");
    try {
      const own = await fresh();
      await own.goto(house.link);
      await own.fill("#f-name", "First Administrator");
      await own.fill("#f-email", EMAIL);
      await own.fill("#f-password", PASSWORD);
      await press(own, "main form button.primary", "/sites/new");

      // Set up.
      await own.click(".side .me a.who");
      await press(own, ".tabs a:has-text('Two-step')", "/account/two-factor");
      await lookAround(own, "two-factor-off");
      await own.click("main button:has-text('Set it up')");
      await own.waitForSelector(".qr svg");
      const secret = (await text(own, "#the-secret")).trim();
      assert(/^([A-Z2-7]{4} ?)+$/.test(secret), `a key to type: ${secret}`);
      await lookAround(own, "two-factor-set-up");
      await freshStep();
      const right = code(secret);
      await own.fill("#f-code", String((Number(right) + 1) % 1_000_000).padStart(6, "0"));
      await own.click("main button:has-text('Switch it on')");
      assert((await text(own, "#d-code .err")).includes("not right"), "a wrong code is told at its field");
      assert((await text(own, "#the-secret")).trim() === secret, "the key stays");
      await own.fill("#f-code", code(secret));
      await press(own, "main button:has-text('Switch it on')", "/account/two-factor/codes");

      // The backup codes, on screen, on paper and in a file.
      const codes = await own.$$eval("#codes li", (all) => all.map((item) => item.textContent));
      assert(codes.length === 10 && new Set(codes).size === 10, codes.join());
      await lookAround(own, "backup-codes");
      const [saved] = await Promise.all([own.waitForEvent("download"), own.click("a[download]")]);
      assert(saved.suggestedFilename() === "dewline-backup-codes.txt", saved.suggestedFilename());
      const file = readFileSync(await saved.path(), "utf8").split("\n");
      assert(codes.every((one) => file.includes(one)), "the file holds them all");
      await own.setViewportSize({ width: 703, height: 1000 });
      await own.emulateMedia({ media: "print" });
      const printed = await own.$$eval("button, .btn, nav, .side, #codes li, .printed", (all) => all.filter((e) => e.getClientRects().length > 0).map((e) => e.className || e.tagName));
      assert(await own.isVisible("main section .printed"), "paper says whose they are");
      assert(printed.filter((one) => one === "LI").length === 10 && printed.filter((one) => one === "printed").length === printed.length - 10, `paper has the codes and nothing to press: ${printed.join()}`);
      await own.screenshot({ path: new URL("screenshots/backup-codes-paper.png", import.meta.url).pathname, fullPage: true });
      await own.emulateMedia({ media: null });
      await own.setViewportSize({ width: 1366, height: 768 });
      await press(own, "main a:has-text('I have kept them')", "/account/two-factor");
      assert((await text(own)).includes("10 of 10 left"), "how many are left");
      await lookAround(own, "two-factor-on");

      // In with a code, and from then on without.
      await leave(own);
      await enter(own);
      assert(where(own) === "/sign-in/code", own.url());
      await lookAround(own, "sign-in-code");
      await freshStep();
      await own.fill("#code", code(secret, 1));
      await own.check("input[name='remember']");
      await press(own, "main button.primary", "/");
      await leave(own);
      await enter(own);
      assert(where(own) === "/", `a remembered browser is not asked: ${own.url()}`);
      await own.goto(`${house.url}/account/two-factor`);
      assert((await text(own)).includes("1 browser is remembered"), await text(own));
      await lookAround(own, "two-factor-remembered");

      // Without the phone, in a browser that is not known.
      const other = await fresh();
      await enter(other);
      await press(other, "main a:has-text('backup code')", "/sign-in/code");
      await lookAround(other, "sign-in-code-backup");
      await other.fill("#code", codes[0].replace("-", "").toUpperCase());
      await press(other, "main button.primary", "/");
      await other.goto(`${house.url}/account/two-factor`);
      assert((await text(other)).includes("9 of 10 left"), "one less");
      const third = await fresh();
      await enter(third);
      await third.fill("#code", codes[0]);
      await third.click("main button.primary");
      assert((await text(third, "#why")).includes("used before"), "each is good once");

      // Sessions and browsers are ended.
      await own.click("a[href='/account/sessions#known']");
      assert((await text(own)).includes("no code asked until"), await text(own));
      await lookAround(own, "sessions-remembered");
      await press(own, "form[action^='/account/sessions/'][action$='/end'] button.row >> nth=0", "/account/sessions");
      assert((await text(own, ".toast")).includes("has ended"), "says so");
      await other.goto(`${house.url}/account`);
      assert(where(other) === "/sign-in", `the ended session: ${other.url()}`);
      await press(own, "tr:has-text('no code asked') button:has-text('Forget')", "/sign-in");
      await enter(own);
      assert(where(own) === "/sign-in/code", `a forgotten browser is asked again: ${own.url()}`);
      await own.fill("#code", codes[1]);
      await own.check("input[name='remember']");
      await press(own, "main button.primary", "/");

      // A lost password: the link waits among the messages, and trust ends with the old password.
      const lost = await fresh();
      await lost.goto(`${house.url}/forgotten`);
      await lost.fill("#f-email", EMAIL);
      await lost.click("main form button.primary");
      await lookAround(lost, "forgotten-asked");
      await own.goto(`${house.url}/notifications`);
      await own.click(`tr:has-text('${EMAIL}') button:has-text('Show the link')`);
      const link = (await text(own, "#the-link")).trim();
      await lost.goto(new URL(link, house.url).href);
      await lookAround(lost, "reset-good");
      await lost.fill("#f-password", "password1234");
      await lost.click("main form button.primary");
      assert((await text(lost, "#d-password .err")).includes("easy to guess"), "an easy password is refused");
      await lost.fill("#f-password", NEW_PASSWORD);
      await press(lost, "main form button.primary", "/sign-in");
      await lookAround(lost, "sign-in-after-reset");
      await own.goto(`${house.url}/account`);
      assert(where(own) === "/sign-in", `all sessions have ended: ${own.url()}`);
      await enter(own, NEW_PASSWORD);
      assert(where(own) === "/sign-in/code", `a code is asked for again: ${own.url()}`);
      await own.fill("#code", codes[2]);
      await press(own, "main button.primary", "/");
      await lost.goto(new URL(link, house.url).href);
      assert((await text(lost, "h1")).includes("no longer works"), "the link is good once");

      // The way out, which the last administrator can't take.
      await own.goto(`${house.url}/account`);
      await own.click("main a[href='/account/delete']");
      await own.fill("#f-password", NEW_PASSWORD);
      await own.click("main button.danger");
      assert((await text(own, "main [role=alert]")).includes("administrator"), "the last administrator stays");
      await lookAround(own, "delete-refused");
    } finally {
      for (const context of opened) await context.close();
      await house.stop();
    }
  });
}
