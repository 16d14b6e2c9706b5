// <time data-time="relative">: relative time, with the exact local time on hover and focus.
// <time data-time="exact">: the exact local time.
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];

export function relative(moment, now = Date.now()) {
  let amount = (moment.getTime() - now) / 1000;
  if (Math.abs(amount) < 5) return "just now";
  for (const [unit, size] of UNITS) {
    if (Math.abs(amount) < size - 0.5 || size === Infinity) return RELATIVE.format(Math.round(amount), unit);
    amount /= size;
  }
}

export function renderTimes(within = document) {
  for (const element of within.querySelectorAll("time[data-time]")) {
    const moment = new Date(element.dateTime);
    const exact = EXACT.format(moment);
    element.textContent = element.dataset.time === "relative" ? relative(moment) : exact;
    if (element.dataset.time === "relative" && !element.dataset.exact) {
      element.removeAttribute("title"); // replaced by a tooltip that also shows on focus
      element.dataset.exact = `${exact}, ${ZONE}`;
      if (!element.closest("a, button, summary")) element.tabIndex = 0;
    }
  }
}

export function initTimes() {
  renderTimes();
  setInterval(() => document.hidden || renderTimes(), 15_000);
  document.addEventListener("visibilitychange", () => document.hidden || renderTimes());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement?.matches("time[data-exact]")) document.activeElement.blur();
  });
}
