// What people do: by keyboard, without scripts, and from a name to a connected site.

export async function deeds({ browser, home, state, test, assert, signIn }) {
  const inside = async (options, body) => {
    const context = await browser.newContext({ storageState: state, viewport: { width: 1366, height: 768 }, ...options });
    try {
      await body(await context.newPage(), context);
    } finally {
      await context.close();
    }
  };
  const send = (path, options) => fetch(home.url + path, { redirect: "manual", ...options });
  const cookie = state.cookies.map((c) => `${c.name}=${c.value}`).join("; ");

  for (const path of ["/", "/sites?per_page=200", "/sign-in"]) {
    await test(`a first visit to ${path} weighs under 100 kB, assets included`, () => inside(path === "/sign-in" ? { storageState: undefined } : {}, async (page) => {
      let weight = 0;
      const session = await page.context().newCDPSession(page);
      await session.send("Network.enable");
      session.on("Network.loadingFinished", (event) => { weight += event.encodedDataLength; });
      await page.goto(home.url + path);
      await page.waitForLoadState("networkidle");
      assert(weight > 40_000, `only ${weight} bytes: the assets were not counted`);
      assert(weight < 100_000, `${weight} bytes`);
    }));
  }

  await test("the policy allows only what the server itself serves", async () => {
    for (const path of ["/", "/sites", "/sign-in", "/nowhere"]) {
      const answer = await send(path, { headers: { cookie } });
      assert(answer.headers.get("content-security-policy")?.startsWith("default-src 'self'"), `${path} has no policy`);
      assert(!/ style=| on[a-z]+=|<style|<script>/.test(await answer.text()), `${path} has something inline`);
    }
  });

  await test("whoever isn't signed in is led to sign in and back", () => inside({ storageState: undefined }, async (page) => {
    await page.goto(`${home.url}/sites?view=fine`);
    assert(page.url().includes("/sign-in?next="), page.url());
    await page.fill("#email", home.email);
    await page.fill("#password", "not-the-password");
    await page.click("main button");
    assert((await page.textContent("[role=alert]")).includes("do not go together"), "says why");
    await page.fill("#password", home.password);
    await Promise.all([page.waitForURL(/\/sites/), page.click("main button")]);
    assert(page.url().endsWith("/sites?view=fine"), page.url());
  }));

  await test("a form sent from another site is refused", async () => {
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "http://elsewhere.example" }]) {
      const answer = await send("/organizations/new", {
        method: "POST",
        headers: { cookie, "content-type": "application/x-www-form-urlencoded", ...headers },
        body: "name=Forged",
      });
      assert(answer.status === 403, `${JSON.stringify(headers)} got ${answer.status}`);
    }
  });

  await test("the keyboard alone reaches the page, the navigation and the filters", () => inside({}, async (page) => {
    await page.goto(`${home.url}/sites`);
    await page.keyboard.press("Tab");
    assert(await page.evaluate(() => document.activeElement.classList.contains("skip")), "the first stop skips to the page");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert(await page.evaluate(() => document.querySelector("main").contains(document.activeElement)), "the next stop is in the page");
    const seen = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
    assert(seen, "the focus shows");
    await page.focus("details.addf > summary");
    await page.keyboard.press("Enter");
    await page.focus("#fe");
    await page.keyboard.press("Escape");
    assert(!(await page.evaluate(() => document.querySelector("details.addf").open)), "Escape closes the filters");
  }));

  await test("the menu of small screens opens by keyboard and leads everywhere", () => inside({ viewport: { width: 390, height: 844 } }, async (page) => {
    await page.goto(`${home.url}/`);
    await page.focus(".bottom button");
    await page.keyboard.press("Enter");
    await page.click("#menu a[href='/manual']");
    assert(new URL(page.url()).pathname === "/manual", page.url());
  }));

  await test("the theme is kept, with and without scripts", async () => {
    for (const javaScriptEnabled of [true, false]) {
      await inside({ javaScriptEnabled }, async (page) => {
        await page.goto(`${home.url}/sites`);
        await page.click(".side .me form[action='/theme'] button");
        await page.waitForURL(/\/sites$/);
        assert((await page.getAttribute("html", "data-theme")) === "dark", "dark after one press");
        await page.goto(`${home.url}/manual`);
        assert((await page.getAttribute("html", "data-theme")) === "dark", "dark on the next page");
      });
    }
  });

  await test("filters, order and search work without scripts and live in the address", () => inside({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${home.url}/sites`);
    await page.click("th a:has-text('Site')");
    assert(page.url().includes("sort=name"), page.url());
    assert((await page.getAttribute("th:has-text('Site')", "aria-sort")) === "ascending", "the head says how it is sorted");
    await page.click("details.addf > summary");
    await page.selectOption("#fe", "production");
    await page.click("details.addf button");
    assert(decodeURIComponent(page.url()).includes("filter[environment]=production"), page.url());
    await page.click(".fchip a");
    assert(!page.url().includes("environment"), "the chip takes its filter away");
  }));

  await test("from a name to a connected site: a refusal says why, the first sync turns the light green", () => inside({}, async (page) => {
    const name = `browser-${Date.now()}.example`;
    await page.goto(`${home.url}/sites/new`);
    await page.fill("#f-name", name);
    await page.fill("#f-url", "no address");
    await page.click("main form button.primary");
    assert((await page.textContent(".faults")).includes("Not saved"), "names what is wrong");
    assert((await page.inputValue("#f-name")) === name, "keeps what was typed");
    await page.fill("#f-url", `https://${name}`);
    await page.click("main form button.primary");
    await page.waitForURL(/\/sites\/\d+\/connect$/);
    const id = page.url().match(/sites\/(\d+)/)[1];
    const key = (await page.textContent("#the-key")).trim();
    assert((await page.textContent("#lock")).includes(key), "the command holds the key");
    assert((await page.textContent("#light")).includes("Nothing has arrived"), "waits");
    const sync = (body) => send(`/api/v1/sites/${id}/modules/sync`, {
      method: "POST", headers: { "x-api-key": key, "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const refused = await sync({ schema: 1, modules: [{ name: "Not A Name" }] });
    assert(refused.status === 422, `refused with ${refused.status}`);
    await page.waitForSelector("#light.refused .refusals", { timeout: 15_000 });
    const taken = await sync({ schema: 1, modules: [{ name: "drupal", type: "core", version: "11.1.0" }] });
    assert(taken.status === 200, `taken with ${taken.status}`);
    await page.waitForSelector("#light.on", { timeout: 15_000 });
    await page.reload();
    assert((await page.$("#the-key")) === null, "the key is shown once");
    await page.goto(`${home.url}/sites/${id}/syncs`);
    assert((await page.textContent("main")).includes("Refused"), "the site remembers the refusal");
    await page.goto(`${home.url}/sites/${id}/delete`);
    await Promise.all([page.waitForURL(/\/sites$/), page.click(".btn.danger")]);
    assert((await page.textContent(".toast")).includes("was deleted"), "says what was done");
  }));

  await test("what was deleted comes back, from the message and from the list, without scripts", () => inside({ javaScriptEnabled: false }, async (page) => {
    const name = `undo-${Date.now()}.example`;
    await page.goto(`${home.url}/sites/new`);
    await page.fill("#f-name", name);
    await page.fill("#f-url", `https://${name}`);
    await page.click("main form button.primary");
    const id = page.url().match(/sites\/(\d+)/)[1];
    const remove = async () => {
      await page.goto(`${home.url}/sites/${id}/delete`);
      await Promise.all([page.waitForURL(/\/sites$/), page.click(".btn.danger")]);
    };
    await remove();
    await Promise.all([page.waitForURL(new RegExp(`/sites/${id}$`)), page.click(".toast button")]);
    assert((await page.textContent(".toast")).includes("is back"), "says that it is back");
    await remove();
    await page.goto(`${home.url}/deleted`);
    await Promise.all([page.waitForURL(new RegExp(`/sites/${id}$`)), page.click(`tr:has-text('${name}') button`)]);
    assert((await page.textContent("h1")) === name, "the site is there");
    await remove();
  }));

  await test("a module is added, changed, deleted and restored", () => inside({ javaScriptEnabled: false }, async (page) => {
    const name = `added_${Date.now()}`;
    await page.goto(`${home.url}/modules/new`);
    await page.fill("#f-module_name", "Not a name");
    await page.click("main form button.primary");
    assert((await page.textContent("main form .err")).includes("short name of a project"), "says what a name is");
    await page.fill("#f-module_name", name);
    await page.fill("#f-title", "Added here");
    await page.click("main form button.primary");
    assert((await page.textContent("h1")) === "Added here", "its page");
    await page.click(".tabs a:has-text('Settings')");
    await page.fill("#f-title", "Named anew");
    await page.click("main form button.primary");
    assert((await page.textContent("h1")) === "Named anew", "changed");
    await page.click(".btn.danger");
    await Promise.all([page.waitForURL(/\/modules$/), page.click(".btn.danger")]);
    await Promise.all([page.waitForURL(/\/modules\/\d+$/), page.click(".toast button")]);
    assert((await page.textContent("h1")) === "Named anew", "back");
  }));

  await test("who runs which version leads to the sites that run it", () => inside({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${home.url}/modules`);
    await page.click("tbody a.name");
    assert(await page.isVisible("svg.chart.w"), "the bars");
    await page.click("td.num a");
    assert(decodeURIComponent(page.url()).includes("filter[installed]="), page.url());
    assert((await page.$$("tbody tr")).length > 0, "sites");
    await page.click(".fchip a");
    assert(!page.url().includes("installed"), "the chip takes its filter away");
  }));

  await test("sites come in bulk, whole or not at all, and their keys are shown once", () => inside({ javaScriptEnabled: false }, async (page) => {
    const stamp = Date.now();
    const take = async (text) => {
      await page.goto(`${home.url}/sites/import`);
      await page.setInputFiles("#file", { name: "sites.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
      await page.click("main form button.primary");
    };
    await take(`name,url,organization\nbulk-${stamp}.example,https://bulk.example,Bulk ${stamp}\n,nonsense,Bulk ${stamp}\n`);
    assert((await page.textContent("main")).includes("Nothing was made"), "one bad line refuses all");
    await take(`name,url,organization\nbulk-${stamp}.example,https://bulk.example,Bulk ${stamp}\n`);
    assert((await page.textContent("#csv")).includes("dwl_"), "the keys come back");
    await page.goto(`${home.url}/sites/import`);
    assert((await page.$("#csv")) === null, "once");
  }));

  await test("the list leaves as CSV that a spreadsheet takes as text", async () => {
    const answer = await send("/sites?format=csv", { headers: { cookie } });
    const text = await answer.text();
    assert(answer.headers.get("content-type").startsWith("text/csv"), answer.headers.get("content-type"));
    assert(text.startsWith("id,name,url,organization"), text.slice(0, 80));
    assert(text.trim().split("\n").length > 20, "all sites are in it");
  });

  await test("old assets answer and new ones are kept for ever", async () => {
    const html = await (await send("/sign-in")).text();
    const css = html.match(/\/assets\/[0-9a-f]+\/app\.css/)[0];
    assert((await send(css)).headers.get("cache-control").includes("immutable"), "immutable");
    assert((await send(css.replace(/[0-9a-f]{16}/, "0000"))).status === 200, "an older page still finds its stylesheet");
  });

  await test("an account is looked after without scripts: its faults, its sessions, a lost password", () => inside({ javaScriptEnabled: false, storageState: undefined }, async (page, context) => {
    await signIn(page, home);
    await page.click(".side .me a.who");
    assert((await page.inputValue("#f-email")) === home.email, "one's own address");
    await page.fill("#f-time_zone", "Mars");
    await page.click("main form button.primary");
    assert((await page.textContent("main .err")).includes("time zone"), "names what is wrong");
    await page.click(".tabs a:has-text('Password')");
    await page.fill("#f-current_password", "not the password");
    await page.fill("#f-password", "seven grey herons wait");
    await page.click("main form button.primary");
    assert((await page.textContent("main .err")).includes("not your password"), "the old one is asked for");
    assert((await page.inputValue("#f-password")) === "", "a password is never given back");
    const other = await browser.newContext();
    await signIn(await other.newPage(), home);
    const foreign = (await other.cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
    await page.click(".tabs a:has-text('Sessions')");
    assert((await page.textContent("main")).includes("this session"), "its own is marked");
    const newest = page.locator("form[action*='/account/sessions/'][action$='/end'] button.row").first();
    await Promise.all([page.waitForURL(/\/account\/sessions$/), newest.click()]);
    assert((await page.textContent(".toast")).includes("has ended"), "says so");
    const answer = await send("/account", { headers: { cookie: foreign } });
    assert(answer.status === 303, `the ended session got ${answer.status}`);
    await other.close();
    await context.clearCookies();
    await page.goto(`${home.url}/sign-in`);
    await page.click("a[href='/forgotten']");
    await page.fill("#f-email", "nobody@example.org");
    await page.click("main form button.primary");
    assert((await page.textContent("main")).includes("If somebody signs in with"), "says the same to everybody");
  }));

  await test("somebody is invited, sets a password, and sees his own organization only", () => inside({ javaScriptEnabled: false }, async (page) => {
    const email = `guest-${Date.now()}@example.org`;
    await page.goto(`${home.url}/organizations`);
    const name = (await page.textContent("tbody a.name")).trim();
    await page.click("tbody a.name");
    await page.click(".head a:has-text('Members')");
    await page.fill("#f-name", "Guest");
    await page.fill("#f-email", "nowhere");
    await page.locator("form.form").evaluate((form) => { form.noValidate = true; });
    await page.click("main form.form button");
    assert((await page.textContent("main .err")).includes("not an e-mail"), "says what is wrong");
    assert((await page.inputValue("#f-name")) === "Guest", "keeps what was typed");
    await page.fill("#f-email", email);
    await page.selectOption("#role", { label: "viewer" });
    await page.click("main form.form button");
    const link = (await page.textContent("#the-link")).trim();
    assert(link.includes("/invitation?token="), link);
    await page.reload();
    assert((await page.$("#the-link")) === null, "the link is shown once");
    assert((await page.textContent(`tr:has-text('${email}')`)).includes("Invited"), "stands in the list");
    const context = await browser.newContext({ javaScriptEnabled: false });
    const guest = await context.newPage();
    await guest.goto(link);
    assert((await guest.textContent("main")).includes(name), "says to what");
    await guest.fill("#f-password", "password1234");
    await guest.click("main form button.primary");
    assert((await guest.textContent("main .err")).includes("easy to guess"), "refuses a weak password");
    await guest.fill("#f-password", "seven grey herons wait");
    await Promise.all([guest.waitForURL((url) => url.pathname === "/"), guest.click("main form button.primary")]);
    const places = await guest.$$eval(".side .nav a", (all) => all.map((a) => a.getAttribute("href")));
    assert(places.includes("/sites") && !places.includes("/users") && !places.includes("/api-keys"), places.join(" "));
    await guest.goto(`${home.url}/organizations`);
    assert((await guest.$$("tbody tr")).length === 1, "one organization");
    assert((await guest.$("a[href='/organizations/new']")) === null, "nothing that he may not");
    await guest.goto(`${home.url}/sites`);
    assert((await guest.$("a[href='/sites/new']")) === null, "no button that is refused");
    await guest.goto(link);
    assert((await guest.textContent("h1")).includes("no longer works"), "once");
    await page.goto(`${home.url}/organizations`);
    await page.click("tbody a.name");
    await page.click(".head a:has-text('Members')");
    await page.click(`tr:has-text('${email}') a.name`);
    await page.click(".btn.danger");
    await page.click(".btn.danger");
    assert((await page.textContent(".toast")).includes("was removed"), "says what was done");
    await guest.goto(`${home.url}/sites`);
    assert((await guest.textContent("main")).includes("permission") || !(await guest.$("tbody")), "at the next click");
    await context.close();
  }));

  await test("a role is made out of another in the grid, and unmade", () => inside({ javaScriptEnabled: false }, async (page) => {
    const name = `Role ${Date.now()}`;
    await page.goto(`${home.url}/roles`);
    await page.click("thead a:has-text('viewer')");
    assert((await page.$("main form")) === null, "a built-in role has no form");
    await page.click("a:has-text('New role like this')");
    assert(await page.isChecked("input[value='sites:read']"), "ticked as the other");
    await page.fill("#f-name", "viewer");
    await page.click("main form.form button.primary");
    assert((await page.textContent("main .err")).includes("of that name"), "says that the name is taken");
    await page.fill("#f-name", name);
    await page.check("input[value='audit:read']");
    await Promise.all([page.waitForURL(/\/roles$/), page.click("main form.form button.primary")]);
    await page.click(`thead a:has-text('${name}')`);
    assert(await page.isChecked("input[value='audit:read']"), "holds what was ticked");
    await page.click(".btn.danger");
    await Promise.all([page.waitForURL(/\/roles$/), page.click(".btn.danger")]);
    assert(!(await page.textContent("main")).includes(name), "gone");
  }));

  await test("signing out ends the session", () => inside({ storageState: undefined }, async (page, context) => {
    await signIn(page, home);
    const before = (await context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
    await page.click(".side form[action='/sign-out'] button");
    await page.waitForURL(/\/sign-in/);
    const answer = await send("/sites", { headers: { cookie: before } });
    assert(answer.status === 303, `the old cookie got ${answer.status}`);
  }));
}
