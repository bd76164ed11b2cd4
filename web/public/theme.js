// Sets the theme before the first paint; a file of its own because the content policy forbids
// inline scripts.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("stockpot.theme");
  } catch {
    // Storage may be blocked; the system's choice is then good enough.
  }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
