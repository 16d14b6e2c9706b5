// Signing in and up without leaving the page: the same forms as on their own pages, in a <dialog>.
import { icon } from "../web/icons.js";
import { toast } from "../web/toast.js";

const FOCUS = "focus after sign-in";
let dialog = null;

const parse = async (response) => new DOMParser().parseFromString(await response.text(), "text/html");

export async function openDialog(url) {
  let page;
  try {
    page = await parse(await fetch(url, { headers: { Accept: "text/html" } }));
  } catch {
    toast("The shop does not answer. Try again in a moment.", { tone: "bad" });
    return;
  }
  const entry = page.getElementById("entry");
  if (entry) show(entry);
  else location.reload(); // signed in already, in another tab
}

function show(entry) {
  dialog ??= make();
  dialog.querySelector(".dialog-content").replaceChildren(document.adoptNode(entry));
  entry.classList.remove("panel", "panel-narrow");
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("[aria-invalid]") ?? dialog.querySelector(".form-error") ?? dialog.querySelector("[name=email]");
  first.focus();
}

function make() {
  const element = document.createElement("dialog");
  element.setAttribute("aria-labelledby", "entry-title");
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn-icon dialog-close" });
  close.setAttribute("aria-label", "Close");
  close.append(icon("x-lg"));
  close.addEventListener("click", () => element.close());
  element.append(Object.assign(document.createElement("div"), { className: "dialog-content" }), close);
  element.addEventListener("submit", submit);
  element.addEventListener("pointerdown", (event) => event.target === element && element.close());
  document.body.append(element);
  return element;
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button.btn-primary");
  if (button.disabled) return;
  button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" }, redirect: "manual" });
    if (response.type === "opaqueredirect") done(form);
    else await refused(response, form);
  } catch {
    complain(form, "The shop does not answer. Try again in a moment.");
  } finally {
    button.disabled = false;
  }
}

// Reload the page as the signed-in shopper, at the same scroll position.
function done(form) {
  sessionStorage.setItem(FOCUS, form.elements.like?.value ?? "");
  location.reload();
}

async function refused(response, form) {
  const page = await parse(response);
  const entry = page.getElementById("entry");
  if (entry) show(entry);
  else complain(form, page.querySelector(".lead")?.textContent ?? "That did not work. Try again in a moment.");
}

function complain(form, text) {
  form.querySelector(".form-error")?.remove();
  const box = Object.assign(document.createElement("div"), { className: "form-error", role: "alert", textContent: text });
  form.prepend(box);
}

function restoreFocus() {
  const product = sessionStorage.getItem(FOCUS);
  sessionStorage.removeItem(FOCUS);
  if (product) document.querySelector(`[data-like="${CSS.escape(product)}"] button`)?.focus({ preventScroll: true });
}

export function initDialogs() {
  restoreFocus();
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!link || elsewhere || document.querySelector("main #entry")) return;
    event.preventDefault();
    openDialog(link.href);
  });
}
