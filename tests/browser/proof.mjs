// What people do with exposures, promises and reports: without scripts, where scripts aren't the point.

export async function proof({ browser, home, state, test, assert }) {
  const inside = async (options, body) => {
    const context = await browser.newContext({ storageState: state, viewport: { width: 1366, height: 768 }, ...options });
    try {
      await body(await context.newPage());
    } finally {
      await context.close();
    }
  };
  const plain = { javaScriptEnabled: false };
  const total = async (page) => (await page.textContent(".filters > .muted")).match(/[\d,]+/)[0];
  const send = (page, action, words) => page.click(`form[action$='${action}'] button${words ? `:has-text('${words}')` : ""}`);

  await test("an exposure is put aside with a reason, stays counted, and is taken up again", () => inside(plain, async (page) => {
    await page.goto(`${home.url}/exposures`);
    const before = await total(page);
    const open = page.locator("tbody tr:not(:has-text('snoozed')) a.name").last();
    const path = await open.getAttribute("href");
    await open.click();
    await page.locator("#f-reason").evaluate((field) => { field.form.noValidate = true; });
    await page.selectOption("#f-hours", "168");
    await send(page, "/snooze", "Snooze");
    assert(await page.isVisible(".fld.bad #f-reason"), "a reason is asked for at its field");
    assert((await page.inputValue("#f-hours")) === "168", "keeps what was chosen");
    await page.fill("#f-reason", "The client moves its server");
    await send(page, "/snooze", "Snooze");
    assert((await page.textContent(".toast")).includes("stays open, due and counted"), "says what it means");
    assert((await page.textContent("main .note")).includes("The client moves its server"), "says why");
    await page.goto(`${home.url}/exposures`);
    assert((await total(page)) === before, "the list counts as before");
    await page.click(".tabs a[href$='view=working']");
    assert(/snoozed exposures? (is|are) not shown here/.test(await page.textContent("main .note")), "what is left out is said");
    assert((await page.$(`a[href='${path}']`)) === null, "left out");
    await page.click(".tabs a[href$='view=snoozed']");
    await page.click(`a[href='${path}']`);
    await page.click("button:has-text('Take it up again')");
    assert((await page.$("main .note:has-text('Snoozed until')")) === null, "taken up");
    assert((await page.textContent("main")).includes("Taken up again"), "and it stands in what happened");
  }));

  await test("an exposure is taken, stands among one's own, and is given back", () => inside(plain, async (page) => {
    await page.goto(`${home.url}/exposures?view=nobody`);
    const path = await page.locator("tbody a.name").first().getAttribute("href");
    await page.goto(home.url + path);
    await page.click("button:has-text('Take it')");
    assert((await page.textContent("main")).includes("has it."), "has it");
    assert((await page.$("button:has-text('Take it')")) === null, "taken once");
    await page.goto(`${home.url}/exposures`);
    await page.click(".tabs a:has-text('Mine')");
    assert((await page.$(`a[href='${path}']`)) !== null, "among one's own");
    await page.goto(home.url + path);
    await page.selectOption("#f-user", "");
    await send(page, "/assign", "Give");
    assert((await page.textContent("main")).includes("Nobody has it."), "given back");
  }));

  await test("the work list is read client by client", () => inside(plain, async (page) => {
    await page.goto(`${home.url}/exposures`);
    await page.click(".tabs a:has-text('By client')");
    const name = (await page.textContent("tbody a.name")).trim();
    await page.click("tbody a.name");
    assert((await page.textContent(".fchip")).includes(name), "narrowed to the client");
    assert((await page.$$("tbody tr")).length > 0, "its exposures");
  }));

  await test("clocks run on while the page stands open", () => inside({}, async (page) => {
    await page.clock.install();
    await page.goto(`${home.url}/exposures?sort=-due_at`);
    const read = (selector) => page.textContent(`${selector} b`);
    const clock = "tbody [data-left]:not(.late)";
    const before = await read(clock);
    await page.clock.fastForward("05:00:00");
    const after = await read(clock);
    assert(before !== after, `${before} and ${after}`);
    const first = page.locator(clock).first();
    await first.evaluate((e) => { e.id = "watched"; });
    await page.clock.fastForward(400 * 24 * 3_600_000);
    assert((await first.count()) === 0 || (await page.textContent("#watched")).includes("late"), "past its time it is late");
    assert((await page.$("#watched.late svg.i")) !== null, "with its sign");
  }));

  await test("a promise in a zone that is none is refused and kept, the right one is saved", () => inside(plain, async (page) => {
    await page.goto(`${home.url}/organizations`);
    const path = `${await page.getAttribute("tbody a.name", "href")}/sla`;
    await page.goto(home.url + path);
    const zone = await page.inputValue("#f-time_zone");
    await page.fill("#f-time_zone", "Europe/Atlantis");
    await page.fill("#f-production_critical", "71");
    await page.click("main form button.primary");
    assert((await page.textContent(".fld.bad .err")).includes("time zone"), "says what is wrong at its field");
    assert((await page.inputValue("#f-time_zone")) === "Europe/Atlantis", "keeps what was typed");
    assert((await page.inputValue("#f-production_critical")) === "71", "and what was right");
    await page.fill("#f-time_zone", "Europe/Vienna");
    await page.click("main form button.primary");
    assert((await page.textContent(".toast")).includes("Saved"), "says so");
    assert((await page.textContent("section[aria-labelledby=versions]")).includes("71"), "stands among what was promised when");
    await page.fill("#f-time_zone", zone);
    await page.fill("#f-production_critical", "72");
    await page.click("main form button.primary");
  }));

  await test("a report is narrowed, and its file has the cells of the page", () => inside(plain, async (page) => {
    await page.goto(`${home.url}/reports/security-updates`);
    await page.click("details.addf > summary");
    await page.fill("#f-from", "2026-01-01");
    await page.selectOption("#f-risk", "critical");
    await page.click("details.addf button");
    assert(page.url().includes("risk=critical"), page.url());
    assert((await page.textContent(".period")).includes("risk critical"), "says to what it is narrowed");
    const shown = await page.$$eval("table.report tbody tr", (rows) => rows.map((row) => [...row.querySelectorAll("data")].map((cell) => cell.value)));
    assert(shown.length > 0, "rows");
    const file = await page.request.get(home.url + (await page.getAttribute(".acts a:has-text('CSV')", "href")));
    assert(file.headers()["content-disposition"].includes("security-updates.csv"), "is kept under its name");
    const [, ...lines] = cells(await file.text());
    assert(lines.length >= shown.length, `${lines.length} lines, ${shown.length} rows`);
    shown.forEach((row, i) => assert(JSON.stringify(row) === JSON.stringify(lines[i]), `row ${i}: ${row} and ${lines[i]}`));
  }));

  await test("a report whose end lies before its beginning says so where it was typed", () => inside(plain, async (page) => {
    await page.goto(`${home.url}/reports/historical`);
    await page.click("details.addf > summary");
    await page.fill("#f-from", "2026-05-02");
    await page.fill("#f-to", "2026-05-01");
    await page.click("details.addf button");
    assert((await page.textContent(".fld.bad .err")).includes("not after from"), "at its field");
    assert((await page.inputValue("#f-from")) === "2026-05-02", "keeps what was typed");
    await page.fill("#f-to", "2026-05-31");
    await page.click("details.addf button");
    assert((await page.textContent(".period")).includes("2 May 2026 to 31 May 2026"), "set right");
  }));
}

/** The lines of a CSV, cell by cell. */
function cells(text) {
  const lines = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1).push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end.includes("\n")) lines.push([]);
    if (end === "") break;
  }
  return lines.filter((line) => line.length > 1);
}
