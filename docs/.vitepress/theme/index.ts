import { type Theme, useData } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { defineComponent, h, watchPostEffect } from "vue";
import "./style.css";
import { TryIt } from "./try-it.js";

/** Built pages have relative links. Those that stay when a page is replaced without loading would change their target. */
function makeLinksAbsolute(): void {
  for (const [selector, name] of [
    ["a[href], link[rel=icon]", "href"],
    ["img[src]", "src"],
  ] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const link = element.getAttribute(name) ?? "";
      const url = new URL(link, location.href);
      if (url.origin === location.origin && !link.startsWith("#")) element.setAttribute(name, url.pathname + url.search + url.hash);
    }
  }
}

/** The default layout, with a landmark for the content of the front page and of missing pages. */
const Layout = defineComponent(() => {
  const { frontmatter, page } = useData();
  watchPostEffect(() => {
    const content = document.getElementById("VPContent");
    if (frontmatter.value["layout"] === "home" || page.value.isNotFound) content?.setAttribute("role", "main");
    else content?.removeAttribute("role");
  });
  return () => h(DefaultTheme.Layout);
});

export default {
  extends: DefaultTheme,
  Layout,
  enhanceApp({ app }) {
    app.component("TryIt", TryIt);
    if (!import.meta.env.SSR) makeLinksAbsolute();
  },
} satisfies Theme;
