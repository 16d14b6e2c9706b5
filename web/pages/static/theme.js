// The one script that runs before the page is painted: Bootstrap's dark rules need an attribute, so that "auto"
// must become one. The choice itself is a cookie, which the server has put in data-theme already.
(() => {
  const root = document.documentElement;
  root.dataset.script = ""; // there are scripts: what stands in for them is not shown
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", follow);
  root.addEventListener("theme", follow);
  follow();
})();
