import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { parseAst } from "rollup/parseAst";

/** The base that a build has until `makeRelative` removes it. VitePress knows only fixed ones. */
export const placeholder = "/-base-/";

/**
 * Servers send 404.html below the address of the missing page, where its relative links lead nowhere. This finds the site among the folders above,
 * by the list of its pages, and loads the page from there.
 */
const toRealAddress = `<script>(async()=>{if(location.protocol==="file:"||location.pathname.endsWith("/404.html"))return;for(let up=new URL(".",location.href);;up=new URL("..",up)){if((await fetch(new URL("hashmap.json",up))).ok)return location.replace(new URL("404.html",up));if(up.pathname==="/")return}})()</script>`;

/** Make a built site independent of its address: links of pages and styles become relative, scripts compute the base from their own address. */
export function makeRelative(site: string): void {
  for (const file of readdirSync(site, { recursive: true, encoding: "utf8" })) {
    const rewrite = { html: relativePage, css: relativeStyle, js: relativeScript, txt: relativeText, md: relativeText }[file.split(".").at(-1) ?? ""];
    if (!rewrite) continue;
    const text = readFileSync(join(site, file), "utf8").replace("</title>", file === "404.html" ? `</title>${toRealAddress}` : "</title>");
    const up = relative(dirname(file), ".").split(sep).join("/");
    const changed = rewrite(text, up === "" ? "./" : `${up}/`);
    if (changed.includes(placeholder) && rewrite !== relativeScript) throw new Error(`${file} still has the base ${placeholder}`);
    writeFileSync(join(site, file), changed);
  }
}

/**
 * Links to folders get the name of their page, because a file system has no default page. The links in the head to the Markdown copies, which
 * llms.txt lists, are dropped: checkers that know only HTML pages report them as broken.
 */
function relativePage(text: string, up: string): string {
  return text
    .replace(/<link [^>]*rel="alternate" type="text\/markdown"[^>]*>/g, "")
    .replaceAll(placeholder, up)
    .replace(/(<a [^>]*?href=")(\.{1,2}\/(?:[^":?#]*\/)?)(?=["#?])/g, "$1$2index.html");
}

const relativeStyle = (text: string, up: string) => text.replaceAll(placeholder, up);

const relativeText = (text: string, up: string) => text.replaceAll(placeholder, posix.normalize(up) === "./" ? "" : up);

/** Replace the base in every string of a module by its address at run time. */
function relativeScript(text: string, up: string): string {
  if (!text.includes(placeholder)) return text;
  const base = `decodeURI(new URL(${JSON.stringify(up)},import.meta.url).pathname)`;
  const call = `.replaceAll(${JSON.stringify(placeholder)},${base})`;
  const found: [number, number][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, start = 0, end = 0 } = node as { type?: string; start?: number; end?: number };
    const isString = type === "Literal" || type === "TemplateLiteral";
    if (isString && text.slice(start, end).includes(placeholder)) found.push([start, end]);
    else for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(text));
  let changed = text;
  for (const [start, end] of found.sort(([one], [other]) => other - one)) {
    changed = `${changed.slice(0, start)}(${changed.slice(start, end)}${call})${changed.slice(end)}`;
  }
  return changed;
}
