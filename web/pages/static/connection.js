// Says when this page is cut off, and when it is not any more. Whoever fetches reports to it.
import { icon } from "./icons.js";

const AFTER = 2; // failures in a row: one may be a hiccup
let failures = 0, signedOut = false;

function show(message) {
  const banner = document.getElementById("connection");
  if (banner.dataset.message === message) return;
  banner.dataset.message = message;
  banner.hidden = !message;
  banner.replaceChildren(...(message ? [icon("wifi-off"), ` ${message}`] : []));
}

function update() {
  if (signedOut) show("You are signed out. What you see may be out of date; reload the page to sign in again.");
  else if (!navigator.onLine) show("You are offline. What you see may be out of date; it is brought up to date when you are back.");
  else if (failures >= AFTER) show("The server does not answer. We keep trying; what you see may be out of date.");
  else show("");
}

export const connection = {
  reached(ok, status = 0) {
    failures = ok ? 0 : failures + 1;
    signedOut = status === 401;
    update();
  },
};

export function initConnection() {
  window.addEventListener("offline", update);
  window.addEventListener("online", update);
  update();
}
