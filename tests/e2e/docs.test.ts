import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ZodType } from "zod";
import { createProgram } from "../../src/commands/run-program.js";
import { isFull } from "../repetitions.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { unknownOptions, wordsOf } from "./docs/command-words.js";
import { type Block, blocksOf, excusesOf, isAccepted, optionalPackageOf, outputPattern, scriptOf } from "./docs/page-blocks.js";
import { environmentOf, fillFolder, folderOf, installInto, resolving } from "./docs/page-folder.js";
import { hasPackage, projectRoot, run, temporaryFolder, withoutTorch } from "./program.js";

/**
 * Every block of the pages is run, in the order of the page, in one folder per page: shell blocks by bash, Python by the interpreter, TypeScript strictly compiled
 * against the built package and run by Node.js. CONTRIBUTING.md has the rules for authors. `FULL_TESTS=1` trains as many steps as the pages print.
 */
const listing = ["ls-files", "--cached", "--others", "--exclude-standard", "README.md", "docs/*.md", "examples/*.md"];
const pages = execFileSync("git", listing, { cwd: projectRoot, encoding: "utf8" })
  .trim()
  .split("\n")
  .filter((page) => existsSync(join(projectRoot, page)))
  .map((page) => ({ page, text: readFileSync(join(projectRoot, page), "utf8") }))
  .map(({ page, text }) => ({ page, text, blocks: blocksOf(text) }));

const root = temporaryFolder();
afterAll(() => root[Symbol.dispose]());
const within = isFull ? 7_200_000 : 300_000;

/** The recipes of the cookbook train a few steps, so they are never shortened. */
const isSmall = (page: string) => page.startsWith("docs/cookbook/");

/** Others are refused, so that no block escapes by the name of its language. */
const languages = ["sh", "python", "ts", "yaml", "json", "csv", "text", "mermaid", ""];

test("the code of the pages has languages that are checked, and accepted reasons where it is not run", () => {
  const all = pages.flatMap(({ page, blocks }) => blocks.map((block) => ({ at: `${page}:${block.line}`, ...block })));
  expect(all.filter(({ language }) => language === "ts").length).toBeGreaterThan(20);
  expect(all.filter(({ language }) => !languages.includes(language)).map(({ at, language }) => `${at} ${language}`)).toEqual([]);
  expect(pages.flatMap(({ page, text }) => excusesOf(text).flatMap((reason) => (isAccepted(reason) ? [] : `${page}: ${reason}`)))).toEqual([]);
});

test("commands have options that exist", async () => {
  const program = await createProgram();
  const lines = pages.flatMap(({ blocks }) =>
    blocks.filter(({ language }) => language === "sh").flatMap(({ code }) => code.replaceAll("\\\n", " ").split("\n")),
  );
  const commands = lines.flatMap((line) => /\bbh-bridge ([a-z].*?)(?:\s+#.*)?$/.exec(line)?.[1] ?? []);
  expect(commands.length).toBeGreaterThan(10);
  expect(commands.flatMap((command) => unknownOptions(wordsOf(command), program).map((option) => `${command}: ${option}`))).toEqual([]);
});

/** What the compiler prints about all TypeScript of the pages; each program is compiled to a `.js` next to it. */
let problems: readonly string[] = [];
const programName = ({ file, line }: Block) => file ?? `block-${line}.ts`;

beforeAll(async () => {
  installInto(root.path);
  for (const { page, blocks } of pages) {
    mkdirSync(folderOf(page, root.path));
    for (const block of blocks.filter(({ language }) => language === "ts"))
      writeFileSync(join(folderOf(page, root.path), programName(block)), `${isSmall(page) ? block.code : shortened(block.code)}export {};\n`);
  }
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noImplicitOverride: true, skipLibCheck: true };
  const node = { target: "es2022", lib: ["es2022", "esnext.disposable"], module: "nodenext", moduleResolution: "nodenext", types: ["node"] };
  writeFileSync(join(root.path, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...strict, ...node }, include: ["*/*.ts"] }));
  const tsc = join(projectRoot, "node_modules/typescript/bin/tsc");
  const { stdout } = await execa(process.execPath, [tsc, "-p", root.path, "--pretty", "false"], { cwd: root.path, reject: false });
  problems = stdout.split("\n");
}, within);

test("the TypeScript of all pages compiles", () => {
  expect(problems.filter((problem) => problem !== "")).toEqual([]);
});

/** A program that trains at most 8 steps where it would train more than 40, unless all tests were asked for. */
function shortened(code: string): string {
  return isFull ? code : code.replaceAll(/\b(max_steps: |steps: )(\d+)\b/g, (all, field: string, steps: string) => (Number(steps) > 40 ? `${field}8` : all));
}

/** Of the guides, `npm test -- --ci` runs a third, which the commit chooses. */
const guides = pages.filter(({ page, blocks }) => /^docs\/[^/]*\.md$/.test(page) && blocks.length > 0).map(({ page }) => page);
const third = process.env["THIRD_OF_GUIDES"];
const isLeftOut = (page: string) => third !== undefined && guides.includes(page) && guides.indexOf(page) % 3 !== Number(third);

/** The pages for beginners train as they print, which takes a minute of a processor. */
const executed = pages.filter(({ page, blocks }) => blocks.length > 0 && (isFull || !(page.startsWith("docs/learn/") || isLeftOut(page))));

describe.each(executed)("$page", ({ page, text, blocks }) => {
  const cwd = folderOf(page, root.path);
  const env = environmentOf(root.path, isFull || isSmall(page));
  /** What the block above has printed; undefined if it was not run. */
  let printed: string | undefined;

  beforeAll(() => fillFolder(page, root.path), within);

  async function execute(program: string, args: readonly string[]): Promise<void> {
    const { exitCode, all } = await execa(program, args, { cwd, env, stdin: "ignore", reject: false, all: true });
    printed = String(all);
    expect(exitCode, printed).toBe(0);
  }

  /** A configuration is resolved by the program, a document is read by its schema. */
  async function check(block: Block): Promise<void> {
    const { code, language, line } = block;
    for (const [index, part] of code.split(/^# or$/m).entries()) {
      const resolved = resolving(block, part);
      if (resolved) {
        const file = `block-${line}-${index}.${language}`;
        writeFileSync(join(cwd, file), part);
        const { exitCode, stderr } = await run([...resolved(file), "--quiet"], { cwd, env: { ...env, ...withoutTorch } });
        expect(exitCode, stderr).toBe(0);
      } else if (language === "json") await expectDocument(JSON.parse(part), part);
    }
  }

  const checks: Record<string, (block: Block) => Promise<void> | void> = {
    sh: (block) =>
      execute("bash", ["-euo", "pipefail", "-c", scriptOf(block).replaceAll(/\bRUN(-[AB])?\b/g, (_, which) => (which === "-B" ? "other-run" : "my-run"))]),
    python: async ({ code, file }) => {
      if (file === undefined) printed = await printedBy(code, [], cwd);
    },
    ts: async (block) => {
      const name = programName(block);
      expect(problems.filter((problem) => problem.includes(`/${name}(`) || problem.startsWith(`${cwd.slice(root.path.length + 1)}/${name}`))).toEqual([]);
      await execute(process.execPath, [name.replace(/ts$/, "js")]);
    },
    text: ({ code, file }) => {
      if (file === undefined && printed !== undefined && (isFull || isSmall(page))) expect(printed).toMatch(outputPattern(code));
    },
    csv: async ({ code, file }) => {
      if (file !== undefined) return;
      writeFileSync(join(cwd, "table.csv"), code);
      await execute("bh-bridge", ["judge", "table.csv", "--control", code.split("\n")[1]?.split(",")[0] ?? ""]);
    },
    yaml: check,
    json: check,
  };

  test.for(blocks.map((block) => [`${block.line} ${block.language}`, block] as const))("%s", { timeout: within }, async ([, block], { skip }) => {
    if (block.file !== undefined) {
      writeFileSync(join(cwd, block.file), block.code);
      expect(text.split(block.file).length, `${block.file} is not used on the page`).toBeGreaterThan(2);
    }
    const needed = optionalPackageOf(block);
    if (block.excuse === undefined || (needed !== undefined && hasPackage(needed))) await checks[block.language]?.(block);
    else {
      printed = undefined;
      if (needed !== undefined) skip(`needs ${needed}`);
    }
  });
});

/** A document with a `schema` is read by the zod schema that the package exports for it. Of settings of other programs, the files of the package exist. */
async function expectDocument(document: { schema?: string }, text: string): Promise<void> {
  if (document.schema === undefined) {
    for (const [, file = ""] of text.matchAll(/"\.\/node_modules\/bh-bridge\/([^"]+)"/g)) expect(existsSync(join(projectRoot, file)), file).toBe(true);
    return;
  }
  const exported: Record<string, unknown> = await import(pathToFileURL(join(projectRoot, "dist/index.js")).href);
  const schemas = Object.values(exported).flatMap((value) => (value instanceof Object && "safeParse" in value ? [value as ZodType] : []));
  const reasons = schemas.map((schema) => schema.safeParse(document)).map(({ error }) => error?.message ?? "");
  expect(reasons, `no schema accepts ${document.schema}`).toContain("");
}
