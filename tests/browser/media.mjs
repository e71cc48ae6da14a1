// Other media than a screen with colours of ours: paper, and the colours that a system forces.

export async function media({ browser, home, state, test, assert }) {
  const each = async (options, emulated, body) => {
    const context = await browser.newContext({ storageState: state, viewport: { width: 1366, height: 768 }, ...options });
    try {
      const page = await context.newPage();
      await page.goto(`${home.url}/sites`);
      const site = await page.getAttribute("main td a.name", "href");
      await page.goto(`${home.url}/exposures`);
      const exposure = await page.getAttribute("main td a.name", "href");
      const reports = options.forcedColors ? [] : ["/reports/security-updates", "/reports/sla-compliance", exposure];
      for (const path of ["/", "/sites", site, `${site}/exposures`, ...reports]) {
        await page.goto(home.url + path);
        await page.emulateMedia(emulated);
        await body(page, path, site);
        await page.emulateMedia({ media: null });
      }
    } finally {
      await context.close();
    }
  };
  const shown = (page, selector) => page.$$eval(selector, (all) => all.filter((e) => e.getClientRects().length > 0).length);

  // A4 without its margins, in CSS pixels: upright 703 wide, and 1032 lying, as tables of many columns are.
  const upright = 703, lying = 1032;
  const wider = async (page, path, paper) => {
    await page.setViewportSize({ width: paper, height: 1000 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${path} is ${wide} px wider than the paper of ${paper} px`);
  };
  await test("on paper there is nothing to press, no table is cut, and the time is told", () => each({ viewport: { width: upright, height: 1000 }, colorScheme: "dark" }, { media: "print" }, async (page, path, site) => {
    for (const gone of [".side", ".top", ".bottom", "button", "input", ".tabs", "main .cmd"]) {
      assert((await shown(page, gone)) === 0, `${path} prints ${gone}`);
    }
    assert((await page.textContent(".printed")).includes("UTC"), `${path} says as of when`);
    assert((await shown(page, ".printed")) === 1, `${path} shows as of when`);
    const lie = await page.$$eval(".frame", (all) => all.filter((e) => getComputedStyle(e).page === "lying").map((e) => e.classList.add("lies")).length);
    assert((lie > 0) === (path === "/reports/security-updates"), `${path} has ${lie} tables on lying paper`);
    if (lie > 0) await wider(page, path, lying);
    await page.$$eval(".frame.lies", (all) => all.forEach((e) => e.style.setProperty("display", "none", "important")));
    await wider(page, path, upright);
    if (!path.startsWith("/reports")) {
      const ink = await page.$eval(".chip.overdue", (chip) => [getComputedStyle(chip).backgroundColor, getComputedStyle(document.body).color].join());
      assert(ink === "rgba(0, 0, 0, 0),rgb(17, 26, 30)", `${path} needs a printed background: ${ink}`);
    }
    if (path === site) assert((await shown(page, "main th:has-text('Reason'), main th.c4")) >= 2, "the reasons are printed");
  }));

  await test("under forced colours each status keeps its word and its edge, and one sees where one is", () => each({ forcedColors: "active" }, {}, async (page, path) => {
    const chips = await page.$$eval(".chip.overdue, .chip.exposed", (all) => all.map((chip) => [chip.textContent.trim(), getComputedStyle(chip).borderTopStyle, getComputedStyle(chip).borderTopWidth].join()));
    assert(chips.length > 0, `${path} shows no status`);
    assert(chips.every((chip) => /^(Overdue|Exposed),solid,1px$/.test(chip)), `${path}: ${chips.join(" ")}`);
    const [here, other] = await page.evaluate(() => ["a[aria-current]", "a:not([aria-current])"].map((which) => getComputedStyle(document.querySelector(`.side .nav ${which}`)).borderTopColor));
    assert(here !== other, `${path}: the place one is at looks like the others`);
  }));
}
