import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { experimentDocumentSchema } from "../../src/sweep/experiment/experiment-summary.js";
import { repetitions } from "../repetitions.js";
import { projectRoot, temporaryFolder, warmPython } from "./program.js";

const folder = temporaryFolder();
const corpus = join(folder.path, "text.txt");
const into = join(folder.path, "full-runs");
const seeds = repetitions(2, 9);
const page = join(folder.path, "results.md");
afterAll(() => folder[Symbol.dispose]());

/** Run the script of the full runs, every run with two steps and every experiment with the seeds from 42 on. */
async function results(...args: string[]): Promise<string> {
  const options = ["--corpus", corpus, "--into", into, "--page", page, "--steps", "2", "--seeds", `42..${41 + seeds}`, ...args];
  await execa(process.execPath, [join(projectRoot, "scripts/results.mjs"), ...options], { env: { BH_BRIDGE_PYTHON: warmPython } });
  return readFileSync(page, "utf8");
}

/** The part of the page below a heading. */
function sectionOf(text: string, name: string): string {
  return text.split(/^## /m).find((section) => section.startsWith(`${name}\n`)) ?? "";
}

beforeAll(() => writeFileSync(corpus, "A text of its own, long enough for a window. ".repeat(10)));

test("before anything has run, the page says so of every piece, in the order in which they are trained", async () => {
  const text = await results("--write");
  const names = [...text.matchAll(/^\| \[(.*?)\]\(#.*?\) \| not run yet \| 0 \|$/gm)].map(([, name]) => name);
  expect(names).toEqual([
    "rmsnorm-vs-layernorm",
    "jiggle-11.2b",
    "snowball-11.2c",
    "f32-init-13.4a",
    "f32-vs-bf16-init",
    "rmsnorm-vs-layernorm-clean",
    "portable",
  ]);
});

test("an experiment is trained, and told with its verdict, its spread, its rules and the text it was trained on", async () => {
  const first = await results("--only", "rmsnorm-vs-layernorm-clean");
  const [directory = ""] = readdirSync(join(into, "experiments"));
  const read = (name: string) => readFileSync(join(into, "experiments", directory, name), "utf8");
  const { verdict } = experimentDocumentSchema.parse(JSON.parse(read("result.json")));
  const section = sectionOf(first, "rmsnorm-vs-layernorm-clean");
  expect(section).toContain(`**${verdict.result}**: ${verdict.reason}`);
  expect(section).toMatch(new RegExp(`\\| \\*\\*deadC\\*\\* ${`\\| \\S+ ± \\S+ \\(${seeds}\\) `.repeat(3)}\\|`));
  for (const rule of verdict.rules) expect(section).toContain(rule);
  expect(section).toContain("removed by no option");
  expect(first).toContain(createHash("sha256").update(readFileSync(corpus)).digest("hex"));
  expect(first).not.toContain(folder.path);
  rmSync(join(into, "experiments", directory, "result.json"));
  const open = sectionOf(await results("--write"), "rmsnorm-vs-layernorm-clean");
  expect(open).toContain("There is no verdict until all trainings have ended.");
  expect(open.match(/^\| (layernorm|rmsnorm) \| (?:4[2-9]|50) \| /gm)).toHaveLength(2 * seeds);
});

test("a run that ended early is gone on with", async () => {
  await results("--only", "f32-init-13.4a");
  const [name = ""] = readdirSync(join(into, "runs"));
  const run = join(into, "runs", name);
  rmSync(join(run, "SHA256SUMS"));
  const manifest = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  writeFileSync(join(run, "run.json"), JSON.stringify({ ...manifest, status: "running", ended: null }));
  expect(sectionOf(await results("--write"), "f32-init-13.4a")).toContain("Not complete yet: 0 of 1 trainings.");
  const text = await results("--only", "f32-init-13.4a");
  expect(sectionOf(text, "f32-init-13.4a")).toContain("| 2 of 2 |");
  expect(readdirSync(join(into, "runs"))).toEqual([name]);
  expect(JSON.parse(readFileSync(join(run, "run.json"), "utf8")).status).toBe("completed");
});

test("what was trained elsewhere stays on the page, with its machine and its commit", async () => {
  const before = readFileSync(page, "utf8");
  rmSync(join(into, "runs"), { recursive: true });
  const after = await results("--write");
  expect(sectionOf(after, "f32-init-13.4a")).toBe(sectionOf(before, "f32-init-13.4a"));
  expect(sectionOf(after, "f32-init-13.4a")).toMatch(/\nOn .+; bh-bridge .+, commit \w+; \d{4}-\d\d-\d\d\.\n/);
  expect(after).toContain("| [f32-init-13.4a](#f32-init-134a) | **degenerate**, one seed | 1 |");
});

test.each([
  [["--corpus", "missing.txt"], "--corpus: there is no file missing.txt"],
  [["--only", "nothing"], "--only: there is rmsnorm-vs-layernorm, jiggle-11.2b"],
])("%j is wrong usage", async (args, message) => {
  await expect(results(...args)).rejects.toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
});
