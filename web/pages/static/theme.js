// Runs before the page is painted: Bootstrap's dark rules need an attribute, also for "auto". The choice is in a cookie,
// which the server has copied to data-theme.
(() => {
  const root = document.documentElement;
  root.dataset.script = ""; // scripts work: hides the elements that replace them
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", follow);
  root.addEventListener("theme", follow);
  follow();
})();
