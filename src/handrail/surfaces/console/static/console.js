// Everything here is a convenience: each page works the same without it.

const SWITCH = "handrail-single-keys";

// Single-key shortcuts, which can be turned off (WCAG 2.1.4): j and k move along a list, Enter opens,
// a slash goes to the field that finds.
const rows = () => [...document.querySelectorAll("[data-rows] h2 a")];
const finder = document.querySelector("[data-find]");
const keysOn = () => localStorage.getItem(SWITCH) !== "off";

function move(step) {
  const links = rows();
  if (links.length === 0) return;
  const at = links.indexOf(document.activeElement);
  const to = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
  links[Math.min(links.length - 1, Math.max(0, to))].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !keysOn()) return;
  if (event.target.closest?.("input, textarea, select")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/" && finder) {
    event.preventDefault();
    finder.select();
  }
});

const toggle = document.querySelector("[data-keys]");
if (toggle && (finder || document.querySelector("[data-rows] h2 a, [data-keys-list]"))) {
  const show = () => toggle.setAttribute("aria-pressed", String(keysOn()));
  toggle.closest("[hidden]").hidden = false;
  toggle.title = document.querySelector("[data-keys-list]")
    ? "? shows the keys of this page"
    : `j and k move along the list, Enter opens${finder ? ", / finds" : ""}`;
  toggle.addEventListener("click", () => {
    localStorage.setItem(SWITCH, keysOn() ? "off" : "on");
    show();
  });
  show();
}

// One button copies what a read-only field holds. Without it: focus the field, select all, copy.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      field.focus();
      field.select();
      button.textContent = "Selected: copy it now";
    }
  });
}

// A problem of a policy leads to its line in the editor; without this, to the line in the list below.
for (const link of document.querySelectorAll("[data-line]")) {
  link.addEventListener("click", (event) => {
    const field = document.getElementById("text");
    const lines = field.value.split("\n");
    const at = Math.min(Number(link.dataset.line), lines.length) - 1;
    const start = lines.slice(0, at).reduce((sum, line) => sum + line.length + 1, 0);
    event.preventDefault();
    field.focus();
    field.setSelectionRange(start, start + lines[at].length);
    field.scrollTop = (field.scrollHeight * (at - 5)) / lines.length;
  });
}

// The zone of this computer is one click away.
for (const button of document.querySelectorAll("[data-zone]")) {
  const field = document.getElementById(button.dataset.zone);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!here || here === field.value) continue;
  button.textContent = `Use this computer's: ${here}`;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.value = here;
    field.form.requestSubmit();
  });
}
