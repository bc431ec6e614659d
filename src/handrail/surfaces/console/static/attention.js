// A case page: who else is there, the seconds before an approval, and one decision per press.
// The server holds all of it; here it is only said in time.

const PING_MS = 10_000;
const TICK_MS = 1_000;
const approvals = () => [...document.querySelectorAll('button[name="verdict"][value="approve"]')];

// While the seconds run and the page is looked at, the buttons rest. They are the server's seconds
// at least: a page in the background does not count them.
const dwell = document.querySelector("[data-dwell]");
if (dwell) {
  let left = Number(dwell.dataset.dwell);
  const shown = dwell.querySelector("[data-left]");
  const counts = approvals().map((button) => {
    const count = new Text();
    button.append(count);
    button.disabled = true;
    return count;
  });
  const tell = () => {
    shown.textContent = left > 0 ? `, ${left} s left` : "";
    for (const count of counts) count.data = left > 0 ? ` (${left} s)` : "";
  };
  tell();
  const timer = setInterval(() => {
    if (document.hidden) return;
    left -= 1;
    tell();
    if (left > 0) return;
    clearInterval(timer);
    // A page that has said meanwhile that it is out of date keeps them off.
    const late = document.querySelector(".overtaken.notice") !== null;
    for (const button of approvals()) {
      button.disabled = late;
      button.classList.remove("resting");
    }
    if (!late) dwell.querySelector("[data-now]").textContent = "It can be approved now.";
  }, TICK_MS);
}

// A key that is held down approves nothing, and a second press of a button is no second decision.
for (const button of approvals()) {
  button.addEventListener("keydown", (event) => {
    if (event.repeat) event.preventDefault();
  });
}
const decision = document.getElementById("decision");
let sent = false;
decision?.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  else if (!event.defaultPrevented) sent = true;
});
addEventListener("pageshow", () => { sent = false; });

// That the page is looked at is told now and then; back comes who else does.
const presence = document.querySelector("[data-seen]");

async function ping() {
  if (document.hidden) return;
  const csrf = document.querySelector('form.who input[name="csrf"]').value;
  const body = new URLSearchParams({ csrf, digest: presence.dataset.digest });
  try {
    const answer = await fetch(presence.dataset.seen, { method: "POST", body });
    if (answer.status !== 200) return; // 204: the session has ended
    const { said, over } = await answer.json();
    const who = presence.querySelector("[data-who]");
    const text = over ? "This was decided or changed meanwhile. Open it again." : said;
    if (who.textContent !== text) who.textContent = text;
  } catch {
    // the server is away: the page stays as it is
  }
}

if (presence) {
  setInterval(ping, PING_MS);
  document.addEventListener("visibilitychange", ping);
}
