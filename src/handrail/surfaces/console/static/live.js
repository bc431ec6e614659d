// What changes while a page is open is said, and nothing moves before somebody asks for it. Without
// this a page is as it was made, and a verdict on what has changed is refused by the server.

const place = document.querySelector("[data-live]");
const began = new Set();
const SENDING_MS = 10_000;
let heard = new URL(place?.dataset.live ?? "/", location).searchParams.get("since");
let source = null;

// A page in the background lets go of its connection, of which a browser has few, and catches up.
function listen() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) {
    const url = new URL(place.dataset.live, location);
    url.searchParams.set("since", heard);
    source = new EventSource(url);
    source.onmessage = (event) => {
      heard = event.lastEventId;
      holdStill(() => hear(JSON.parse(event.data)));
    };
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) say("This page is no longer kept up to date. ", "Reload");
    };
  }
}

// Whatever has the focus, or else is under the pointer, stays where it is on the screen.
function holdStill(change) {
  const under = [...document.querySelectorAll("main :hover")].pop();
  const focus = document.activeElement?.closest("main *");
  const held = focus ?? under;
  const before = held?.getBoundingClientRect().top;
  change();
  if (held?.isConnected) scrollBy(0, held.getBoundingClientRect().top - before);
}

function hear({ waiting, began: added = [], ended = {}, missed = false }) {
  if (place.classList.contains("overtaken")) {
    if (missed || added.length > 0 || Object.keys(ended).length > 0) overtake(Object.values(ended)[0]);
    return;
  }
  const count = document.querySelector("[data-waiting]");
  if (count && !missed) count.firstChild.data = waiting;
  for (const [id, how] of Object.entries(ended)) mark(id, how);
  for (const id of Object.keys(ended)) began.delete(id);
  for (const id of added) if (!mark(id, null)) began.add(id);
  if (missed) say("Much has changed since this page was made. ", "Show the queue as it is now");
  else if (began.size > 0) say(`${began.size} new. `, "Show");
  else say("");
}

// One line of the list: how it is with what no longer waits, or that it waits again.
function mark(id, how) {
  const line = document.querySelector(`[data-action="${id}"]`);
  if (!line) return false;
  line.querySelector(".how")?.remove();
  line.classList.toggle("gone", how !== null);
  if (how !== null) {
    const said = document.createElement("span");
    said.className = "how";
    said.textContent = how;
    line.append(said);
  }
  const row = line.closest(".row");
  row?.classList.toggle("over", row.querySelector("[data-action]:not(.gone)") === null);
  return true;
}

function say(text, action) {
  if (place.dataset.said === text) return;
  place.dataset.said = text;
  place.replaceChildren();
  if (!text) return;
  const link = document.createElement("a");
  link.href = location.pathname + location.search;
  link.textContent = action;
  link.addEventListener("click", show);
  place.append(text, link);
}

// Puts in the list as it is now, made by the server. Only when asked to.
function show(event) {
  const list = document.querySelector("[data-rows]");
  if (!list || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const request = new XMLHttpRequest(); // parses a page without making anything in it run
  request.responseType = "document";
  request.open("GET", location.href);
  request.onload = () => {
    const fresh = request.response?.querySelector("[data-rows]");
    if (request.status !== 200 || !fresh) return location.reload();
    list.replaceWith(document.importNode(fresh, true));
    document.querySelector("h1").textContent = request.response.querySelector("h1").textContent;
    const first = [...began].map((id) => document.querySelector(`[data-action="${id}"] a`)).find(Boolean);
    began.clear();
    say("");
    (first ?? document.querySelector("[data-rows] h2 a")).focus();
  };
  request.onerror = () => location.reload();
  request.send();
}

// One action's page: somebody was faster, or it runs no more. What was typed stays to be copied.
function overtake(how = "it may have changed") {
  for (const button of document.querySelectorAll("#decision button, button[form=decision]")) button.disabled = true;
  place.classList.add("notice", "wait");
  say(`This page is out of date: ${how}. Nothing can be decided on it. `, "Reload");
}

if (place) {
  listen();
  // What this page itself sends is no news to it. One that is still here later catches up.
  document.addEventListener("submit", () => {
    source?.close();
    source = null;
    setTimeout(listen, SENDING_MS);
  });
  document.addEventListener("visibilitychange", listen);
}
