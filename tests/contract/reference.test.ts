import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSync, Visitor } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCodes, errorHelp, exitCodeOf } from "../../src/errors.js";
import { BhBridgeError } from "../../src/index.js";
import { publicSurface } from "./public-surface.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-reference-"));
afterAll(() => rmSync(folder, { recursive: true }));

let pages: Record<string, string>;

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/reference.mjs", folder, "--without-api"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"));
  pages = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
});

/** The part of a page below a heading, up to the next one of its level. */
function section(page: string, heading: string): string {
  const level = page.match(new RegExp(`^(#+) ${heading.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&")}$`, "m"))?.[1];
  if (level === undefined) return "";
  const [, rest = ""] = page.split(`${level} ${heading}\n`);
  return rest.split(new RegExp(`^#{1,${level.length}} `, "m"))[0] ?? "";
}

test("no page shows a value that is missing or cannot be written", () => {
  expect(Object.keys(pages).length).toBeGreaterThan(25);
  for (const [name, text] of Object.entries(pages)) expect(text, name).not.toMatch(/\bundefined\b|\[object /);
});

test("every command and option is on the page of its command", async () => {
  const { names } = await publicSurface();
  const { "every command": common = [], ...lists } = names;
  const commands = Object.entries(lists).filter(([name]) => name.startsWith("bh-bridge "));
  expect(commands.length).toBeGreaterThan(35);
  for (const [name, options] of commands) {
    const text = section(pages[`cli/${name.split(" ")[1]}.md`] ?? "", name);
    expect(text, name).not.toBe("");
    for (const option of options) expect(text, name).toMatch(new RegExp(`\`[^\`]*(?<![\\w-])${option}(?![\\w-])`));
  }
  for (const option of common.filter((each) => each !== "-h" && each !== "--help")) expect(pages["cli/index.md"]).toContain(option);
});

test("every document has its fields, and every event and progress line its own", async () => {
  const documents = pages["documents.md"] ?? "";
  const listed = [...readFileSync("docs/scripting.md", "utf8").matchAll(/`(bh-bridge\/[\w-]+@\d+)`/g)].map(([, schema = ""]) => schema);
  expect(listed.length).toBeGreaterThan(30);
  expect([...new Set(listed)].filter((schema) => schema !== "bh-bridge/progress@1" && !headings(documents).includes(schema))).toEqual([]);
  for (const field of ["run", "steps.planned", "census.populations", "verdict.reason"]) {
    expect(section(documents, "bh-bridge/train-result@1")).toContain(`| \`${field}\` |`);
  }
  expect(section(documents, "bh-bridge/sweep@1")).toContain("| `trials[].result` |");
  const events = pages["events.md"] ?? "";
  const { names } = await publicSurface();
  for (const type of names["events"] ?? []) expect(section(events, type).trim(), type).not.toBe("");
  for (const type of ["message", "phase", "progress", "run", "train", "trial", "error", "end"]) expect(headings(events)).toContain(`Line ${type}`);
  expect(section(events, "train_begin")).toContain("| `window_order` | string or `null` |");
});

/** The paths that a JSON Schema of `schemas/` has, found without the code that writes the pages. */
function pathsOf(node: unknown, prefix = ""): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { properties = {}, anyOf = [], oneOf = [], items } = node as { properties?: object; anyOf?: unknown[]; oneOf?: unknown[]; items?: unknown };
  const own = Object.entries(properties).flatMap(([name, field]) => [prefix + name, ...pathsOf(field, `${prefix}${name}.`)]);
  return [...own, ...[...anyOf, ...oneOf].flatMap((branch) => pathsOf(branch, prefix)), ...pathsOf(items, prefix.replace(/\.$/, "[]."))];
}

const headings = (text: string) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading.replaceAll("\\", ""));

test("every path of a configuration, with every engine and family of models, has a heading", () => {
  const schema: unknown = JSON.parse(readFileSync("schemas/config.schema.json", "utf8"));
  const old = ["processes", "exact_step", "compiled_step", "graphed_step", "stack"];
  const paths = [...new Set(pathsOf(schema))].filter((path) => !old.includes(path));
  expect(paths.length).toBeGreaterThan(150);
  const page = pages["configuration.md"] ?? "";
  expect(paths.filter((path) => !headings(page).includes(path))).toEqual([]);
  for (const path of old) expect(page).toContain(`| \`${path}\` |`);
  expect(section(page, "training.learning_rate")).toContain("number at least 0 · default `0.001` · option `--lr`");
  expect(section(page, "model.resid_pdrop")).toContain("engines `fast` and `portable`: only `0`");
});

test.each(["experiment", "sweep"])("every field of %s files has a heading", (kind) => {
  const schema = JSON.parse(readFileSync(`schemas/${kind}.schema.json`, "utf8")) as { properties: Record<string, object> };
  const { base: _, ...fields } = schema.properties; // it has the fields of a configuration
  const paths = ["base", ...pathsOf({ properties: fields })];
  expect(paths.filter((path) => !headings(pages[`${kind}-file.md`] ?? "").includes(path))).toEqual([]);
});

/** The texts of the sources: strings and templates, each as its parts between the values. */
function textsOfSources(): string[][] {
  const filesOf = (folder: string, ending: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(ending));
  const typescript = filesOf("src", ".ts").flatMap((file) => {
    const found: string[][] = [];
    if (file === "errors.ts") return found; // it has the examples
    const visitor = new Visitor({
      Literal: ({ value }) => void (typeof value === "string" && found.push([value])),
      TemplateLiteral: ({ quasis }) => void found.push(quasis.map(({ value }) => value.cooked ?? "")),
    });
    visitor.visit(parseSync(file, readFileSync(join("src", file), "utf8")).program);
    return found;
  });
  const python = filesOf("python/bh_bridge", ".py").flatMap((file) =>
    [...readFileSync(join("python/bh_bridge", file), "utf8").matchAll(/f?"([^"\n]*)"/g)].map(([, text = ""]) => text.split(/\{[^}]*\}/)),
  );
  return [...typescript, ...python];
}

test("every example of an error is a message that the sources contain", () => {
  const texts = textsOfSources();
  expect(texts.length).toBeGreaterThan(500);
  const escaped = (part: string) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const longestExample = Math.max(...errorCodes.map((code) => errorHelp[code].example.length));
  const patterns = texts.flatMap((parts) => {
    const size = parts.join("").length;
    return size < 8 || size > longestExample ? [] : [{ size, pattern: new RegExp(parts.map(escaped).join("[^]+?")) }];
  });
  const isMessage = (example: string) => patterns.some(({ size, pattern }) => size > example.length / 6 && pattern.test(example));
  const ofCommander = ["USAGE"];
  expect(errorCodes.filter((code) => !ofCommander.includes(code) && !isMessage(errorHelp[code].example))).toEqual([]);
});

describe.each(errorCodes)("%s", (code) => {
  test("has its cause, what to do, an example and its exit code", () => {
    const text = section(pages["errors.md"] ?? "", code);
    const [cause = "", remedy = ""] = text.trim().split("\n\n");
    expect(cause.length).toBeGreaterThan(20);
    expect(remedy).toMatch(/^\*\*What to do:\*\* .{10}/);
    expect(text).toContain(`\`\`\`text\n${code}: `);
    expect(text).toContain(`Exit code ${exitCodeOf(new BhBridgeError(code, ""))}.`);
  });
});
