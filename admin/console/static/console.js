// Scripts of the console's pages: live regions, forms that are submitted once, previews.
import { poll } from "../web/poll.js";
import { renderTimes } from "../web/time.js";
import { toast } from "../web/toast.js";

const shown = new Map(); // id → its last markup

// Elements with data-live name a URL that returns parts of the page by id; unchanged parts stay untouched.
for (const element of document.querySelectorAll("[data-live]")) {
  poll({ url: () => element.dataset.live, every: Number(element.dataset.every), data: ({ regions }) => fill(regions) });
}

function fill(regions) {
  for (const [id, html] of Object.entries(regions)) {
    const region = document.getElementById(id);
    if (!region || shown.get(id) === html) continue;
    shown.set(id, html);
    const before = statusOf(region);
    update(region, html);
    renderTimes(region);
    prepare(region);
    announce(region, before);
  }
}

// A region whose parts have ids is replaced part by part, so that focus and open details survive.
function update(region, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const parts = [...fresh.content.children];
  if (!parts.length || parts.some((part) => !part.id)) {
    region.replaceChildren(fresh.content);
    return;
  }
  const remaining = new Set(parts.map((part) => part.id));
  for (const old of [...region.children]) if (!remaining.has(old.id)) old.remove();
  parts.forEach((part, place) => {
    const old = document.getElementById(part.id);
    if (old && (old.contains(document.activeElement) || shown.get(`part:${part.id}`) === part.outerHTML)) return;
    shown.set(`part:${part.id}`, part.outerHTML);
    for (const details of old?.querySelectorAll("details[open]") ?? []) {
      const same = [...part.querySelectorAll("details")].find((one) => one.querySelector("summary").textContent === details.querySelector("summary").textContent);
      if (same) same.open = true;
    }
    if (old?.tagName === "DETAILS") part.open = old.open;
    if (old) old.replaceWith(part);
    else region.insertBefore(part, region.children[place] ?? null);
  });
}

function statusOf(region) {
  return region.querySelector("[data-announce]")?.textContent.trim();
}

function announce(region, before) {
  const now = statusOf(region), where = document.getElementById("announcement");
  if (where && before && now && now !== before) where.textContent = now;
}

// Buttons that copy a command, where the browser supports it.
function prepare(within) {
  for (const button of within.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast("Copied.", { tone: "ok" });
    });
  }
}
prepare(document);

for (const element of document.querySelectorAll("[data-script-only]")) element.hidden = false;
for (const element of document.querySelectorAll("[data-no-script]")) element.hidden = true;

// A second click submits nothing. After a return to the page, the form can be submitted again.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => { delete form.dataset.sent; form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy")); });
}

// A file that is too large is reported before it is sent.
for (const field of document.querySelectorAll("input[type=file][data-most]")) {
  field.addEventListener("change", () => {
    const large = field.files[0]?.size > field.dataset.most;
    field.setCustomValidity(large ? `This file is larger than ${field.dataset.most / 2 ** 20} MB.` : "");
    field.reportValidity();
  });
}

for (const all of document.querySelectorAll("[data-check-all]")) {
  all.hidden = false;
  const boxes = [...all.closest("form").querySelectorAll("input[type=checkbox][name=id]")];
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  for (const box of boxes) {
    box.addEventListener("change", () => {
      const chosen = boxes.filter((one) => one.checked).length;
      all.checked = chosen === boxes.length;
      all.indeterminate = chosen > 0 && !all.checked;
    });
  }
}

for (const button of document.querySelectorAll("[data-pick]")) {
  button.addEventListener("click", () => {
    for (const radio of button.closest("form").querySelectorAll(`input[type=radio][value=${button.dataset.pick}]`)) radio.checked = true;
  });
}

// The preview shows what is typed.
const EMPTY = { title: "Title", price: "0.00" };
for (const field of document.querySelectorAll("[data-preview]")) {
  field.addEventListener("input", () => {
    const target = document.querySelector(`[data-show="${field.dataset.preview}"]`);
    if (target) target.textContent = field.value || EMPTY[field.dataset.preview] || "";
  });
}

const picture = document.querySelector("[data-preview-picture]");

function showPicture(src) {
  const image = Object.assign(document.createElement("img"), { src, alt: "", width: 240, height: 240, className: "picture", referrerPolicy: "no-referrer" });
  picture?.replaceChildren(image);
}

document.querySelector("input[name=image_url]")?.addEventListener("change", ({ target }) => {
  const address = target.value.trim(), here = address.startsWith("/images/") || /^https?:/.test(address);
  if (here) showPicture(address);
  else if (address.startsWith("/") && picture?.dataset.shop) showPicture(picture.dataset.shop + address);
});

document.querySelector("input[name=image_file]")?.addEventListener("change", ({ target }) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => showPicture(reader.result));
  if (target.files[0]?.type.startsWith("image/")) reader.readAsDataURL(target.files[0]);
});

// The browser asks before it leaves a page with unsaved input.
const editor = document.querySelector(".editor form");
if (editor) {
  let changed = false;
  editor.addEventListener("input", () => { changed = true; });
  window.addEventListener("beforeunload", (event) => { if (changed && !editor.dataset.sent) event.preventDefault(); });
}
