// Updates the visible page: counts, changed, deleted and new products, and delays.
import { announce } from "../web/announce.js";
import { icon } from "../web/icons.js";
import { poll } from "../web/poll.js";
import { renderTimes } from "../web/time.js";
import { onTiles, refresh } from "./grid.js";
import { forget, update } from "./likes.js";

const EVERY = 2_000; // ms
const MOST = 100; // products per request
const NEAR_TOP = 200; // px: new products are inserted here only; further down they would move the list

const visible = new Set();
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) isIntersecting ? visible.add(target) : visible.delete(target);
});

function watch() {
  for (const element of visible) if (!element.isConnected) visible.delete(element);
  for (const element of document.querySelectorAll("[data-product]")) observer.observe(element);
}

function url() {
  const ids = [...visible].filter((element) => element.isConnected).map((element) => element.dataset.product);
  return `/shop/live?ids=${ids.slice(0, MOST).sort((a, b) => a - b).join(",")}`;
}

async function apply(data, asked) {
  if (data.signed_in !== Boolean(document.querySelector("[data-signed-in]")) && !document.querySelector("dialog[open]")) {
    location.reload(); // signed in or out in another tab
    return;
  }
  notice(data.notice);
  for (const id of data.gone) gone(id);
  let outdated = false;
  for (const [id, state] of Object.entries(data.products)) {
    const element = document.querySelector(`[data-product="${id}"]`);
    if (!element) continue;
    if (update(id, state, asked) && element.id === "product") announce(`${state.likes} likes.`);
    outdated ||= Number(element.dataset.version) !== state.version || element.classList.contains("gone");
  }
  if (document.getElementById("product")) return outdated && refreshProduct();
  if (document.getElementById("results")) await catchUp(outdated, data.newest);
  else if (outdated) location.reload();
}

function notice(text) {
  const banner = document.getElementById("notice");
  if (!banner || banner.textContent.trim() === text) return;
  banner.hidden = !text;
  banner.replaceChildren(...(text ? [icon("exclamation-triangle-fill"), ` ${text}`] : []));
}

function gone(id) {
  const element = document.querySelector(`[data-product="${id}"]`);
  if (!element || element.classList.contains("gone")) return;
  element.classList.add("gone");
  element.querySelector(".tile-gone").hidden = false;
  element.querySelector(".like").hidden = true;
  announce(`\u2068${element.querySelector("h1, .tile-title").textContent}\u2069 is no longer available.`);
}

async function refreshProduct() {
  const response = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement?.closest("[data-like]");
  document.getElementById("product").replaceWith(page.getElementById("product"));
  document.title = page.title;
  forget();
  renderTimes();
  watch();
  if (focused) document.querySelector("#product .like button, #product .like a")?.focus();
  announce("This product has just changed.");
}

// --- new products -------------------------------------------------------------------------------------------

const showsNewest = () => {
  const wanted = new URLSearchParams(location.search);
  return !["q", "category", "sort", "cursor"].some((name) => wanted.get(name));
};

async function catchUp(outdated, newest) {
  const arrived = newest !== null && showsNewest() && !document.getElementById(`p${newest}`);
  if (!outdated && !arrived) return;
  if (arrived && scrollY > NEAR_TOP) offer();
  if (!outdated && scrollY > NEAR_TOP) return;
  const come = await refresh();
  if (come) announce(come === 1 ? "A new product has arrived." : `${come} new products have arrived.`);
}

function offer() {
  if (document.querySelector(".offer")) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary offer", textContent: "Show new products" });
  button.addEventListener("click", async () => {
    button.remove();
    await refresh();
    scrollTo({ top: 0 });
    document.querySelector(".tile a")?.focus({ preventScroll: true });
  });
  document.getElementById("results").append(button);
  announce("New products have arrived.");
}

export function initLive() {
  if (!document.getElementById("notice")) return;
  onTiles(watch);
  watch();
  const polling = poll({ url, every: EVERY, data: apply });
  // a page from the browser's back-forward cache is as old as when it was left
  window.addEventListener("pageshow", (event) => event.persisted && polling.now());
}
