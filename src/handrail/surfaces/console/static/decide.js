// Keys of a case page, and the seconds in which an approval can be taken back. A convenience: each
// of them leads to something that is on the page without it, and none of them approves.

const SWITCH = "handrail-single-keys";
const keysOn = () => localStorage.getItem(SWITCH) !== "off";
const list = document.querySelector("[data-keys-list]");

// What a key leads to is marked in the page. Only taking back is done at once: it stops something.
function follow(key) {
  const target = document.querySelector(`main [data-key="${key}"]`);
  if (!target) return false;
  const fold = target.closest("details");
  if (fold) fold.open = true;
  if (key === "u" || key === "e") target.click();
  else target.focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  const pressed = event.target.closest?.("button, a");
  // A key that is held down presses nothing a second time.
  if (event.repeat && pressed && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    return;
  }
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !keysOn()) return;
  if (event.target.closest?.("input, textarea, select, dialog")) return;
  if (event.key === "?" && list) list.showModal();
  else if (!"arexsu".includes(event.key) || !follow(event.key)) return;
  event.preventDefault();
});

for (const form of document.querySelectorAll("form[data-left]")) {
  const until = performance.now() + Number(form.dataset.left);
  const seconds = form.querySelector("[data-seconds]");
  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1_000));
    if (seconds.textContent !== String(left)) seconds.textContent = String(left);
    if (left === 0) clearInterval(tick);
  }, 200);
}

// What is on its way is looked at again; the server says when, and for how long that goes on.
const moving = document.querySelector("[data-follow]");
if (moving) setTimeout(() => location.reload(), Number(moving.dataset.follow));

// What was typed goes with an approval as well: it is kept, and shown again if that did not count.
document.querySelector("form#decision")?.addEventListener("submit", (event) => {
  event.target.elements.reason.value = document.querySelector("#reason").value;
});
