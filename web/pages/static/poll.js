// Updates a page: polls a URL by ETag, more slowly while that fails, and not while the page is hidden.
import { connection } from "./connection.js";

const SLOWEST = 60_000; // ms

// options: url() returns the URL, or null to skip a poll; every: ms; data(json, began) is called after a change; began
// is the performance.now() of the request. Returns {now()}, which polls at once.
export function poll({ url, every, data }) {
  let timer, failures = 0, etag = null, asked = null, running = false;

  async function ask() {
    clearTimeout(timer);
    const wanted = url();
    if (running || document.hidden) return;
    if (wanted) {
      running = true;
      await fetchOnce(wanted);
      running = false;
    }
    const wait = Math.min(every * 2 ** failures, Math.max(SLOWEST, every));
    timer = setTimeout(ask, wait * (0.9 + 0.2 * Math.random()));
  }

  async function fetchOnce(wanted) {
    if (wanted !== asked) etag = null;
    asked = wanted;
    const began = performance.now();
    const headers = { Accept: "application/json", ...(etag && { "If-None-Match": etag }) };
    try {
      const response = await fetch(wanted, { headers, cache: "no-store", credentials: "same-origin" });
      connection.reached(response.status < 500, response.status);
      if (response.ok) {
        etag = response.headers.get("ETag");
        await data(await response.json(), began);
      }
      failures = response.ok || response.status === 304 ? 0 : failures + 1;
    } catch {
      failures += 1;
      connection.reached(false);
    }
  }

  document.addEventListener("visibilitychange", () => document.hidden || ask());
  window.addEventListener("online", () => { failures = 0; ask(); });
  timer = setTimeout(ask, every);
  return { now: ask };
}
