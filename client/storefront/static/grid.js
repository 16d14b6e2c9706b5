// Updates the grid in place: search while typing, more products at the end. The URL always contains what is shown and
// the number of pages, so that back, reload and sharing show the same. The server renders everything.
import { announce } from "../web/announce.js";
import { connection } from "../web/connection.js";
import { renderTimes } from "../web/time.js";
import { toast } from "../web/toast.js";
import { forget } from "./likes.js";

const TYPING = 180; // ms
const MOST_PAGES = 10; // more continue on a new page

const results = () => document.getElementById("results");
const tiles = () => document.getElementById("tiles");
const listeners = [];

// Called after tiles were added or removed.
export const onTiles = (listener) => listeners.push(listener);

function changed() {
  forget();
  renderTimes(results());
  watchEnd();
  for (const listener of listeners) listener();
}

async function load(search, signal) {
  const response = await fetch(`/shop/grid${search}`, { headers: { Accept: "text/html" }, signal });
  connection.reached(response.status < 500);
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html").body;
}

// --- search -------------------------------------------------------------------------------------------------

let searching = null;
let shown = location.search;

async function search(query) {
  shown = query;
  searching?.abort();
  searching = new AbortController();
  const { signal } = searching;
  results().setAttribute("aria-busy", "true");
  try {
    const found = await load(query, signal);
    results().replaceChildren(...found.childNodes);
    changed();
    announce(summary());
  } catch {
    if (signal.aborted) return;
    connection.reached(false);
    toast("The search does not answer. Try again in a moment.", { tone: "bad", action: { label: "Try again", run: () => search(query) } });
  }
  results().removeAttribute("aria-busy");
}

function summary() {
  const count = tiles()?.children.length ?? 0;
  if (!count) return "Nothing found.";
  const words = count === 1 ? "1 product" : `${count} products`;
  return document.querySelector(".more") ? `${words}, and more.` : `${words}.`;
}

function queryOf(form) {
  const values = [...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value);
  return values.length ? `?${new URLSearchParams(values)}` : "";
}

function initSearch() {
  const form = document.querySelector(".search");
  const field = form.elements.q;
  let timer;
  const run = () => {
    clearTimeout(timer);
    const query = queryOf(form);
    if (query === location.search) return;
    // one step back leaves the search, however many letters were typed
    history[history.state?.searching ? "replaceState" : "pushState"]({ searching: true }, "", `/${query}`);
    search(query);
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(run, TYPING); });
  form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
  window.addEventListener("popstate", () => {
    if (location.search === shown) return; // a link within the page changes nothing
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    search(location.search);
  });
  results().addEventListener("click", (event) => {
    if (!event.target.closest("[data-clear]")) return;
    event.preventDefault();
    field.value = "";
    field.focus();
    run();
  });
}

// --- the end of the list ------------------------------------------------------------------------------------

const end = new IntersectionObserver(([entry]) => entry.isIntersecting && more(entry.target), { rootMargin: "600px" });
const link = () => document.querySelector(".more a");
const pages = () => Number(tiles()?.dataset.pages ?? MOST_PAGES);

function watchEnd() {
  end.disconnect();
  if (link() && pages() < MOST_PAGES) end.observe(link());
}

async function more(button, { focus = false } = {}) {
  if (button.ariaBusy === "true") return;
  end.disconnect();
  button.ariaBusy = "true";
  button.textContent = "Loading …";
  try {
    const found = await load(new URL(button.href).search);
    if (!button.isConnected) return; // a search replaced the list
    append(found, focus);
  } catch {
    connection.reached(false);
    button.ariaBusy = "false";
    button.textContent = "Loading failed. Try again";
  }
}

function append(found, focus) {
  const come = [...(found.querySelector("#tiles")?.children ?? [])].filter((tile) => !document.getElementById(tile.id));
  tiles().append(...come);
  tiles().dataset.pages = pages() + 1;
  const next = found.querySelector(".more, .the-end");
  if (next) document.querySelector(".more").replaceWith(next);
  else document.querySelector(".more").remove();
  const url = new URL(location.href);
  url.searchParams.set("pages", tiles().dataset.pages);
  history.replaceState(history.state, "", url);
  shown = url.search;
  changed();
  announce(`${come.length} more products.`);
  if (focus) come[0]?.querySelector("a").focus();
}

function initMore() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".more a");
    if (!button || pages() >= MOST_PAGES || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    more(button, { focus: true });
  });
  watchEnd();
}

// --- what changed elsewhere ---------------------------------------------------------------------------------

// Applies the server's current grid: replaces changed tiles, adds new ones, leaves the others.
export async function refresh() {
  const found = await load(location.search).catch(() => null);
  const now = found?.querySelector("#tiles");
  if (!now) return 0;
  if (!tiles()) {
    results().replaceChildren(...found.childNodes);
    changed();
    return now.children.length;
  }
  const shown = new Map([...tiles().children].map((tile) => [tile.id, tile]));
  const merged = [...now.children].map((tile) => {
    const old = shown.get(tile.id);
    return old && old.dataset.version === tile.dataset.version ? old : tile;
  });
  const come = merged.filter((tile) => !shown.has(tile.id));
  for (const tile of come) tile.classList.add("tile-new");
  // move only what differs, so that the focus stays
  for (const old of shown.values()) if (!merged.includes(old)) old.remove();
  merged.forEach((tile, place) => tiles().children[place] === tile || tiles().insertBefore(tile, tiles().children[place] ?? null));
  changed();
  return come.length;
}

export function initGrid() {
  document.addEventListener("change", (event) => event.target.closest("[data-submit-on-change]")?.requestSubmit());
  document.querySelector("[data-back]")?.addEventListener("click", (event) => {
    const from = document.referrer && new URL(document.referrer);
    if (!from || from.origin !== location.origin || from.pathname !== "/" || history.length < 2) return;
    event.preventDefault();
    history.back(); // to the previous position in the list
  });
  if (!results()) return;
  initSearch();
  initMore();
}
