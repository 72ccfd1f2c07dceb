import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const { layers: stated } = JSON.parse(readFileSync("src/layers.json", "utf8")) as { layers: { folder: string }[] };
/** The layers from top to bottom. A folder imports what stands below it. */
const layers = stated.map(({ folder }) => folder);

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !file.includes(join("kernels", "assembly")));

/** What the check says of a project that has these files in src, beside one file in every layer. */
function check(sources: Readonly<Record<string, string>>): string[] {
  const project = mkdtempSync(join(tmpdir(), "bh-bridge-layering-"));
  onTestFinished(() => rmSync(project, { recursive: true }));
  cpSync("scripts/house.mjs", join(project, "scripts/house.mjs"));
  cpSync("src/layers.json", join(project, "src/layers.json"));
  const all = { ...Object.fromEntries(layers.map((layer) => [`${layer}/thing.ts`, ""])), "errors.ts": "", "cli.ts": "", ...sources };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(project, "src", file)), { recursive: true });
    writeFileSync(join(project, "src", file), text);
  }
  const { status, stderr } = spawnSync(process.execPath, ["scripts/house.mjs"], { cwd: project, encoding: "utf8" });
  const said = stderr.split("\n").filter((line) => line !== "");
  expect(status).toBe(said.length > 0 ? 1 : 0);
  return said;
}

test("the imports of src keep to its layers, without a circle", () => {
  expect(layers.length).toBeGreaterThan(10);
  const { status, stderr } = spawnSync(process.execPath, ["scripts/house.mjs"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("the lint runs the check", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  expect(scripts["lint"]).toContain("node scripts/house.mjs");
});

test("an import that points up is refused, one that points down is not", () => {
  for (const [index, folder] of layers.entries()) {
    const up = layers.slice(0, index);
    const said = check({ [`${folder}/probe.ts`]: layers.map((other) => `import "../${other}/thing.js";\n`).join("") });
    expect(said.map((line) => /imports src\/(\w+)\//.exec(line)?.[1])).toEqual(up);
    expect(said.every((line) => line.includes("layers.json"))).toBe(true);
  }
});

test.each([
  ["an import from the top of src", { "config/probe.ts": 'export * from "../cli.js";\n' }, "only errors.ts"],
  ["a dynamic import that points up", { "config/probe.ts": 'const load = () => import("../commands/thing.js");\n' }, "point down only"],
  ["an import of types that points up", { "text/probe.ts": 'import type { A } from "../formats/thing.js";\n' }, "point down only"],
  ["pythonia outside its file", { "commands/probe.ts": 'import { python } from "pythonia";\n' }, "only src/python/transport.ts may"],
  ["pythonia by require", { "runner/probe.ts": 'require.resolve("pythonia/src");\n' }, "only src/python/transport.ts may"],
  ["a folder without a layer", { "utils/probe.ts": "" }, "src/utils has no line in src/layers.json"],
  ["a circle of types", { "runs/a.ts": 'import type { B } from "./b.js";\n', "runs/b.ts": 'import "./a.js";\n' }, "in a circle: src/runs/a.ts, src/runs/b.ts"],
])("%s is refused", (_name, sources, expected) => {
  const said = check(sources);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(expected);
});

test("pythonia is loaded by its file, and errors.ts by any", () => {
  expect(check({ "python/transport.ts": 'import "pythonia";\nimport "../errors.js";\n', "text/probe.ts": 'import "../errors.js";\n' })).toEqual([]);
});

test("what is printed goes through the terminal, which escapes what came from a file; help and the last resort hold nothing of a file, and a worker's channel is for no eyes", () => {
  const writing = files.filter((file) => /process\.std(?:out|err)\.write|console\./.test(readFileSync(join("src", file), "utf8")));
  const others = [join("commands", "run-program.ts"), join("sweep", "pool", "worker-channel.ts")];
  expect(writing.sort()).toEqual(["cli.ts", join("commands", "terminal", "terminal.ts"), ...others].sort());
});

/** Words that would switch a check off; spelt in two parts, so that this file has none of them. */
const switches = ["biome", "oxlint", "eslint"].flatMap((tool) => [`${tool}-ignore`, `${tool}-disable`]).concat("@ts-" + "ignore", "@ts-" + "nocheck");

test("no check is switched off anywhere in src", () => {
  const wrong = files.filter((file) => switches.some((word) => readFileSync(join("src", file), "utf8").includes(word)));
  expect(wrong).toEqual([]);
});
