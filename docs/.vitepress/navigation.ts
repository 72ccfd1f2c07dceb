import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import type { DefaultTheme } from "vitepress";

type Item = DefaultTheme.SidebarItem;

/** Pages of the root of docs/, in the order of the sidebar. Pages that no list names are guides. */
const listed = {
  Guides: [
    "install",
    "configuration",
    "bring-your-own",
    "many-runs",
    "experiments",
    "judge",
    "seeing",
    "comparing",
    "engines",
    "trackers",
    "clusters",
    "scripting",
    "shell",
    "api",
  ],
  Science: ["analysis", "results"],
  Reference: ["run-directory", "formats"],
  Project: ["announcement", "versions", "architecture", "roadmap"],
};

/** The front matter (`title`, `order`) and the first heading of a page. */
function headOf(file: string): { title: string; order: number } {
  const text = readFileSync(file, "utf8");
  const front = /^---\n([\s\S]*?)\n---\n/.exec(text)?.[1] ?? "";
  const field = (name: string) => new RegExp(`^${name}:\\s*["']?(.*?)["']?\\s*$`, "m").exec(front)?.[1];
  const heading = /^# (.+)$/m.exec(text)?.[1] ?? basename(file, ".md");
  return { title: field("title") ?? heading.replace(/`|\\(?=[<>_*])/g, "").replace(/\s*\{#.*\}$/, ""), order: Number(field("order") ?? 1000) };
}

/** The navigation bar and the sidebar, from the pages in `docs`. */
export function navigation(docs: string): { nav: DefaultTheme.NavItem[]; sidebar: Item[] } {
  const linkOf = (file: string) => `/${relative(docs, file).replace(/\.md$/, ".html")}`;
  const page = (file: string): Item & { order: number } => {
    const { title, order } = headOf(file);
    return { text: title, link: linkOf(file), order };
  };

  /** Pages of a folder by `order`, then by title; its folders follow as collapsed groups. */
  const pagesOf = (folder: string): Item[] => {
    if (!existsSync(folder)) return [];
    const entries = readdirSync(folder, { withFileTypes: true });
    const files = entries.filter(({ name }) => name.endsWith(".md") && name !== "index.md");
    const pages = files.map(({ name }) => page(join(folder, name)));
    pages.sort((one, other) => one.order - other.order || (one.text ?? "").localeCompare(other.text ?? ""));
    const groups = entries.filter((entry) => entry.isDirectory()).map(({ name }) => groupOf(join(folder, name)));
    return [...pages.map(({ text, link }) => ({ text, link })), ...groups.filter((group) => group !== undefined)] as Item[];
  };

  /** A folder below a section: its `index.md` gives title and link. A group without a page of its own cannot be collapsed. */
  const groupOf = (folder: string): Item | undefined => {
    const index = join(folder, "index.md");
    const items = pagesOf(folder);
    const name = basename(folder);
    const title = name[0]?.toUpperCase() + name.slice(1);
    if (!existsSync(index)) return items.length > 0 ? { text: title, items } : undefined;
    return { text: headOf(index).title, link: linkOf(index), ...(items.length > 0 && { items, collapsed: true }) };
  };

  const named = (names: string[]) => names.filter((name) => existsSync(join(docs, `${name}.md`))).map((name) => page(join(docs, `${name}.md`)));
  const all = new Set(["index", ...Object.values(listed).flat()]);
  const rest = readdirSync(docs).flatMap((name) => (name.endsWith(".md") && !all.has(name.slice(0, -3)) ? [name.slice(0, -3)] : []));
  const section = (folder: string, more: Item[] = []) => ({ ...groupOf(join(docs, folder)), items: [...pagesOf(join(docs, folder)), ...more] });
  const groups: (Item & { items: Item[] })[] = [
    { text: "Learn", items: pagesOf(join(docs, "learn")) },
    { text: "Guides", items: named([...listed.Guides, ...rest]) },
    { ...section("cookbook"), text: "Cookbook" },
    { ...section("reference", named(listed.Reference)), text: "Reference" },
    { text: "Science", items: named(listed.Science) },
    { text: "Project", items: [...named(listed.Project), ...pagesOf(join(docs, "release")), ...pagesOf(join(docs, "project"))] },
  ].filter(({ items }) => items.length > 0);
  const nav = groups.slice(0, -1).map(({ text = "", link, items }) => ({ text, link: link ?? items[0]?.link ?? "/" }));
  return { nav, sidebar: groups };
}
