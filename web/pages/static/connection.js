// Shows a banner while the page is offline or the server does not answer. Code that fetches reports to it.
import { icon } from "./icons.js";

const AFTER = 2; // failures in a row; a single one is not shown
let failures = 0, signedOut = false;

function show(message) {
  const banner = document.getElementById("connection");
  if (banner.dataset.message === message) return;
  banner.dataset.message = message;
  banner.hidden = !message;
  banner.replaceChildren(...(message ? [icon("wifi-off"), ` ${message}`] : []));
}

function update() {
  if (signedOut) show("You are signed out. This page may be out of date. Reload it to sign in again.");
  else if (!navigator.onLine) show("You are offline. This page may be out of date. It updates when you are online again.");
  else if (failures >= AFTER) show("The server does not answer. This page may be out of date. Retrying.");
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
