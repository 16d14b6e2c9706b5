// Says something to screen readers alone.
export function announce(text) {
  document.getElementById("announce").textContent = text;
}
