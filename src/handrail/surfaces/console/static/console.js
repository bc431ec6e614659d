// Everything here is a convenience: each page works the same without it.

const SWITCH = "handrail-single-keys";
const PULSE_MS = 10_000;

// Single-key shortcuts, which can be turned off (WCAG 2.1.4): j and k move along a list, Enter opens.
const rows = () => [...document.querySelectorAll("[data-rows] h2 a")];
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
});

const toggle = document.querySelector("[data-keys]");
if (toggle && document.querySelector("[data-rows] h2 a, [data-keys-list]")) {
  const show = () => toggle.setAttribute("aria-pressed", String(keysOn()));
  toggle.closest("[hidden]").hidden = false;
  toggle.title = rows().length > 0
    ? "j and k move along the list, Enter opens"
    : "? shows the keys of this page";
  toggle.addEventListener("click", () => {
    localStorage.setItem(SWITCH, keysOn() ? "off" : "on");
    show();
  });
  show();
}

// What has changed since the page was made is said, and never moves what is under the pointer.
const fresh = document.querySelector("[data-pulse]");

function say(asked, waiting) {
  const added = asked - Number(fresh.dataset.asked);
  const gone = Number(fresh.dataset.waiting) + added - waiting;
  const parts = [];
  if (added > 0) parts.push(`${added} new`);
  if (gone > 0) parts.push(`${gone} no longer waiting`);
  const text = parts.join(", ");
  if (fresh.dataset.said === text) return;
  fresh.dataset.said = text;
  fresh.replaceChildren();
  if (!text) return;
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Reload";
  fresh.append(`${text} since this page was made. `, link);
}

async function pulse() {
  if (document.hidden) return;
  try {
    const answer = await fetch(fresh.dataset.pulse);
    if (answer.status !== 200) return; // 204: the session has ended
    const { asked, waiting } = await answer.json();
    say(asked, waiting);
  } catch {
    // the server is away: the page stays as it is
  }
}

if (fresh) {
  setInterval(pulse, PULSE_MS);
  document.addEventListener("visibilitychange", pulse);
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
