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
document.addEventListener("htmx:after:swap", () => reveal(document));
