// Short messages in the corner, announced by screen readers. Errors stay until closed; other messages disappear after a
// time without pointer or focus.
import { icon } from "./icons.js";

const ICONS = { ok: "check-circle-fill", bad: "exclamation-octagon-fill", warn: "exclamation-triangle-fill", info: "info-circle-fill" };
const SHOWN = 6_000; // ms
const MOST = 3;

export function toast(message, { tone = "info", action = null } = {}) {
  const region = document.getElementById("toasts");
  const text = Object.assign(document.createElement("p"), { textContent: message });
  const element = Object.assign(document.createElement("div"), { className: `toast-ls toast-${tone}` });
  element.append(icon(ICONS[tone]), text);
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "toast-action", textContent: action.label });
    button.addEventListener("click", () => { element.remove(); action.run(); });
    element.append(button);
  }
  region.append(element);
  while (region.children.length > MOST) region.firstElementChild.remove();
  prepare(element);
  return element;
}

function prepare(element) {
  const close = Object.assign(document.createElement("button"), { type: "button", className: "toast-close" });
  close.setAttribute("aria-label", "Close this message");
  close.append(icon("x-lg"));
  close.addEventListener("click", () => element.remove());
  element.append(close);
  if (element.classList.contains("toast-bad")) return;
  let timer;
  const wait = () => { clearTimeout(timer); timer = setTimeout(() => element.remove(), SHOWN); };
  const hold = () => clearTimeout(timer);
  for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, wait);
  wait();
}

export function initToasts() {
  for (const element of document.querySelectorAll("#toasts > .toast-ls")) prepare(element);
}
