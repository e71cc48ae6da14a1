// What scripts add to pages that work without them: copy buttons, toasts that leave, filters that
// apply as they are typed, and the focus kept where it was after a swap. No state lives here.

// A copy button names what it copies: <button data-copy="id">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  const said = button.querySelector("[data-said]");
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    if (said) said.textContent = "Copied";
  } catch {
    // Without a secure context there is no clipboard: select the text, so that one key copies it.
    getSelection().selectAllChildren(source);
    if (said) said.textContent = "Selected";
  }
  setTimeout(() => { if (said) said.textContent = "Copy"; }, 2000);
});

// A button that prints its page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

// Buttons that need a script are hidden until there is one.
const reveal = (root) => root.querySelectorAll("[data-needs-script]").forEach((e) => e.removeAttribute("hidden"));

// A toast stays 8 seconds, longer while it has the pointer or the focus.
const leave = (toast) => setTimeout(() => {
  if (toast.matches(":hover, :focus-within")) leave(toast);
  else toast.classList.add("gone");
}, 8000);

// Escape closes an open filter box and gives the focus back.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = event.target.closest("details.addf[open]");
  if (!open) return;
  open.removeAttribute("open");
  open.querySelector("summary").focus();
});

// Clocks run on: each says how much was left when it was made, or for how long it was open, in
// milliseconds. Only the time that passes here is counted, so a wrong clock of this machine does no harm.
const HOUR = 3_600_000;
const made = new WeakMap();

const span = (millis) => {
  const two = (large, unit, small, smaller) => `${large} ${unit}${small ? ` ${small} ${smaller}` : ""}`;
  const hours = Math.floor(millis / HOUR);
  if (hours < 1) return `${Math.floor(millis / 60_000)} min`;
  if (hours < 72) return two(hours, "h", Math.floor((millis % HOUR) / 60_000), "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
};

const run = (clock) => {
  if (!made.has(clock)) made.set(clock, Date.now());
  const passed = Math.max(0, Date.now() - made.get(clock));
  const figure = clock.querySelector("b");
  if (clock.dataset.open) {
    figure.textContent = span(Number(clock.dataset.open) + passed);
    return;
  }
  const left = Number(clock.dataset.left) - passed;
  figure.textContent = span(Math.abs(left));
  clock.classList.toggle("soon", left >= 0 && left < 36 * HOUR);
  if (left >= 0 || clock.classList.contains("late")) return;
  clock.classList.add("late");
  clock.lastElementChild.textContent = "late";
  const sprite = document.querySelector("svg.i use")?.getAttribute("href")?.split("#")[0];
  if (sprite) clock.insertAdjacentHTML("afterbegin", `<svg class="i" aria-hidden="true" focusable="false"><use href="${sprite}#alert-octagon"/></svg>`);
};
const runAll = () => document.querySelectorAll("[data-left], [data-open]").forEach(run);
runAll();
setInterval(runAll, 10_000);
document.addEventListener("visibilitychange", runAll);

// A select that stands alone in its form sends it at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
});

// On a narrow screen the tab that is open may lie outside its row.
document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft + tab.offsetWidth / 2 - row.offsetLeft - row.clientWidth / 2;
});

reveal(document);
document.querySelectorAll(".toast").forEach(leave);
document.addEventListener("htmx:after:swap", () => { reveal(document); runAll(); });
