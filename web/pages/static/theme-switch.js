// Switches the theme without a request: auto, light, dark, in a circle.
const THEMES = ["auto", "light", "dark"];
const root = document.documentElement;

function choose(theme, button) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  root.dataset.theme = theme;
  root.dataset.bsTheme = theme;
  root.dispatchEvent(new Event("theme"));
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  button.value = next;
  button.title = `Theme: ${theme}`;
  button.setAttribute("aria-label", `Theme: ${theme}. Change to ${next}`);
}

export function initThemeSwitch() {
  for (const form of document.querySelectorAll(".theme-switch")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      choose(button.value, button);
    });
  }
}
