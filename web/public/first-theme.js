// The theme before the first paint: src/theme.ts, which applies every later change, is loaded after it.
(() => {
  const stored = localStorage.getItem("bh-bridge-theme");
  const isDark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
})();
