// Shows a like at once and sends it afterwards. Of several clicks before the answer the last one counts. A double click
// is one click. A refused like is undone, with the reason.
import { announce } from "../web/announce.js";
import { connection } from "../web/connection.js";
import { toast } from "../web/toast.js";
import { openDialog } from "./dialog.js";

const GONE = [404, 410];
const DOUBLE_CLICK = 500; // ms, as on the server (client/likes/service.py)
const clicks = new Map(); // product id -> when it was last clicked
const entries = new Map(); // product id -> {liked: as the server said, wanted, likes: with "liked", busy, answered}

class Refusal extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const parts = (id) => document.querySelectorAll(`[data-like="${id}"]`);

function entryOf(id) {
  if (!entries.has(id)) {
    const part = parts(id)[0];
    const liked = part.querySelector("[aria-pressed]")?.ariaPressed === "true";
    const likes = Number(part.querySelector("[data-count]").textContent);
    entries.set(id, { liked, wanted: liked, likes, busy: false, answered: 0 });
  }
  return entries.get(id);
}

function render(id) {
  const { liked, wanted, likes } = entryOf(id);
  for (const part of parts(id)) {
    const button = part.querySelector("button");
    if (button) {
      button.setAttribute("aria-pressed", String(wanted));
      button.value = wanted ? "0" : "1";
    }
    const count = part.querySelector("[data-count]");
    const shown = String(likes + wanted - liked);
    if (count.textContent === shown) continue;
    count.textContent = shown;
    count.nextElementSibling.textContent = shown === "1" ? " like" : " likes";
  }
}

// Applies the server's state of a product; asked is the time of the request. Returns whether the count changed.
export function update(id, { liked, likes }, asked) {
  const entry = entryOf(id);
  if (entry.busy || asked < entry.answered) return false;
  const changed = entry.likes !== likes;
  Object.assign(entry, { liked, wanted: liked, likes });
  render(id);
  return changed;
}

// Called after new elements for known products were added: they show the server's state when it rendered them.
export function forget() {
  for (const [id, entry] of entries) if (!entry.busy) entries.delete(id);
}

async function post(form, liked) {
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, liked: liked ? "1" : "0" });
  let response;
  try {
    response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
  } catch {
    connection.reached(false);
    throw new Refusal(navigator.onLine ? "The shop does not answer; your like was not saved." : "You are offline; your like was not saved.");
  }
  if (response.ok) {
    connection.reached(true);
    return response.json();
  }
  if (GONE.includes(response.status)) throw new Refusal("This product is no longer available.", response.status);
  if (response.status === 429) throw new Refusal("Too many clicks. Your like was not saved.", 429);
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(problem.detail ?? "Your like was not saved.", response.status);
}

async function send(id, form) {
  const entry = entryOf(id);
  if (entry.busy) return;
  entry.busy = true;
  try {
    while (entry.wanted !== entry.liked) {
      const answer = await post(form, entry.wanted);
      Object.assign(entry, { liked: answer.liked, likes: answer.likes });
      render(id);
    }
    const words = entry.likes === 1 ? "1 like" : `${entry.likes} likes`;
    announce(entry.liked ? `Liked. ${words}.` : `Like taken back. ${words}.`);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    const wanted = entry.wanted;
    entry.wanted = entry.liked;
    render(id);
    explain(id, form, refusal, wanted);
  } finally {
    entry.busy = false;
    entry.answered = performance.now();
  }
}

function explain(id, form, refusal, wanted) {
  if (refusal.status === 401) {
    const back = encodeURIComponent(location.pathname + location.search);
    openDialog(`/sign-in?like=${id}&next=${back}`);
    return;
  }
  const again = GONE.includes(refusal.status) || refusal.status === 400 ? null : { label: "Try again", run: () => want(id, form, wanted) };
  toast(refusal.message, { tone: "bad", action: again });
}

function want(id, form, liked) {
  entryOf(id).wanted = liked;
  render(id);
  send(id, form);
}

export function initLikes() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-like]");
    if (!form) return;
    event.preventDefault();
    const id = form.dataset.like;
    if (event.timeStamp - (clicks.get(id) ?? -Infinity) < DOUBLE_CLICK) return;
    clicks.set(id, event.timeStamp);
    want(id, form, !entryOf(id).wanted);
  });
}
