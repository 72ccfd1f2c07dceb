import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type MarkdownRenderer } from "vitepress";
import llms from "vitepress-plugin-llms";
import { makeRelative, placeholder } from "./any-path.js";
import { navigation } from "./navigation.js";

const docs = fileURLToPath(new URL("..", import.meta.url));
const description = "Train small language models and record every step of their embedding, exact to the bit.";
const base = process.argv.includes("build") ? placeholder : "/";

/** The anchors of Git hosts, so that a link works on both. */
const slugify = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");

/** Links to files outside docs/ lead to their copies in project/ (scripts/docs.mjs). */
function linkOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("outside", ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (!href || /^[a-z]+:|^[/#]/.test(href)) continue;
      const [path = "", anchor] = href.split("#");
      const folder = dirname(env.relativePath);
      const target = normalize(join(folder, path));
      if (!target.startsWith("..")) continue;
      const name = target.replace(/^(\.\.\/)+/, "").replace(/\/$/, "");
      const copy = name === "README.md" ? "/index.md" : name.startsWith("examples") ? "/project/examples.md" : `/project/${name.toLowerCase()}`;
      const example = name.startsWith("examples/") ? slugify(name.slice("examples/".length)) : undefined;
      const fragment = anchor ?? example;
      token.attrSet("href", fragment === undefined ? copy : `${copy}#${fragment}`);
    }
  });
}

/** The empty corner of a table is no header of anything. */
function makeCornersCells(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("corners", ({ tokens }) => {
    tokens.forEach((token, index) => {
      const isEmpty = token.type === "th_open" && tokens[index + 1]?.content === "";
      if (isEmpty) for (const tag of [token, tokens[index + 2]]) if (tag) tag.tag = "td";
    });
  });
}

/** A picture `name.svg` with a sibling `name-dark.svg` is shown in the colours of the page. */
function pairPictures(markdown: MarkdownRenderer): void {
  const image = markdown.renderer.rules.image;
  markdown.renderer.rules.image = (tokens, index, options, env, self) => {
    const draw = () => image?.(tokens, index, options, env, self) ?? self.renderToken(tokens, index, options);
    const token = tokens[index];
    const source = token?.attrGet("src") ?? "";
    const dark = source.replace(/(?=\.\w+$)/, "-dark");
    if (!token || /^[a-z]+:|^\//.test(source) || !existsSync(join(docs, dirname(env.relativePath), dark))) return draw();
    token.attrSet("class", "only-light");
    const light = draw();
    token.attrSet("src", dark);
    token.attrSet("class", "only-dark");
    return light + draw();
  };
}

export default defineConfig({
  title: "bh-bridge",
  description,
  lang: "en",
  base,
  metaChunk: true,
  head: [["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }]],
  markdown: {
    anchor: { slugify },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config(markdown) {
      linkOutside(markdown);
      makeCornersCells(markdown);
      pairPictures(markdown);
    },
  },
  vite: { plugins: [llms({ description, injectLLMHint: false })], build: { chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    logo: { src: "/icon.svg", alt: "" },
    ...navigation(docs),
    notFound: { quote: "There is no page at this address. The search above finds pages by their words.", linkText: "Front page", linkLabel: "Front page" },
    outline: [2, 3],
    search: { provider: "local" },
    footer: { message: "MIT licence" },
  },
  buildEnd: ({ outDir }) => makeRelative(outDir),
});
