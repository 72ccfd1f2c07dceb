import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const clean = { "README.md": "# A page\n", "src/a.ts": 'export const text = "a message";\n' };

/** The problems that the check reports for a project with these files. */
function check(files: Readonly<Record<string, string>>, ...options: string[]): string[] {
  const project = mkdtempSync(join(tmpdir(), "bh-bridge-words-"));
  onTestFinished(() => rmSync(project, { recursive: true }));
  cpSync("scripts/words.mjs", join(project, "scripts/words.mjs"));
  symlinkSync(resolve("node_modules"), join(project, "node_modules"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
  const { status, stderr } = spawnSync(process.execPath, ["scripts/words.mjs", ...options], { cwd: project, encoding: "utf8" });
  const reported = stderr.split("\n").filter((line) => line !== "");
  expect(status).toBe(reported.length > 0 ? 1 : 0);
  return reported;
}

test("the pages and messages of this project have none of the phrases, and the lint runs the check", () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/words.mjs"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  expect(scripts["lint"]).toContain("node scripts/words.mjs");
});

test("a phrase is refused on every page, with its line and the wording to use, also across a line break", () => {
  expect(
    check({
      ...clean,
      "README.md": "One.\n\nThe speed-up hangs\non the CPU.\n",
      "docs/deep/page.md": "Rules that stood before the first step.\n",
      "examples/notes.md": "Nothing here; `is told` is code.\n",
    }),
  ).toEqual(['README.md:3: "hangs on" was dropped: depends on', 'docs/deep/page.md:1: "stood before the first step" was dropped: fixed in advance']);
});

test("a phrase is refused in strings, templates and texts of the page, not in comments or names", () => {
  const source = `/** This hangs on the CPU. */
export const hangsOn = 1;
export const options = ["--pace", "what the pace hangs on"];
export const message = \`\${hangsOn} and
that it hangs on \${hangsOn}\`;`;
  expect(check({ ...clean, "src/deep/b.ts": source, "web/src/c.tsx": "export const c = <p>It hangs on this.</p>;\n" })).toEqual([
    'src/deep/b.ts:3: "hangs on" was dropped: depends on',
    'src/deep/b.ts:5: "hangs on" was dropped: depends on',
    'web/src/c.tsx:1: "hangs on" was dropped: depends on',
  ]);
});

test("--src also checks comments and Python", () => {
  const files = {
    ...clean,
    "src/a.ts": `// It begins anew.\n${clean["src/a.ts"]}`,
    "python/bh_bridge/a.py": '"""One state a time.\n\nIt is not believed."""\n',
  };
  expect(check(files)).toEqual([]);
  expect(check(files, "--src")).toEqual([
    'python/bh_bridge/a.py:3: "is not believed" was dropped: is verified first',
    'src/a.ts:1: "anew" was dropped: again',
    'src/a.ts:1: "begins anew" was dropped: restarts from the beginning',
  ]);
});

test("a project without pages or strings, or a file that cannot be parsed, is no success", () => {
  expect(check({})).toEqual(["scripts/words.mjs found no page to check", "scripts/words.mjs found no string to check in src"]);
  expect(check({ ...clean, "src/a.ts": "export const = ;\n" }).join("\n")).toContain("src/a.ts cannot be parsed");
});
