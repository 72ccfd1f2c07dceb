import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { judgementDocumentSchema } from "../../src/sweep/judge/judge.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const cwd = folder.path;
/** No Python is found: judging a table needs none. */
const env = { BH_BRIDGE_PYTHON: join(cwd, "no-python") };

const csv = (shift: number) =>
  [
    "arm,seed,loss",
    ...[1, 2, 3, 4, 5, 6, 7].flatMap((seed) => [`base,${seed},${3 + seed / 100}`, `new,${seed},${3 + seed / 100 + shift * (1 + (seed % 3) / 10)}`]),
  ].join("\n");
writeFileSync(join(cwd, "clear.csv"), csv(-0.2));
writeFileSync(join(cwd, "none.csv"), csv(0));
writeFileSync(join(cwd, "rules.yaml"), "rules:\n  decides: [loss]\n  margin: { loss: 0.01 }\n");

test("a table on stdin is judged without Python, as one document", async () => {
  const { exitCode, stdout, stderr } = await run(["judge", "-", "--control", "base", "--json"], { cwd, env, stdin: "pipe", input: csv(-0.2) });
  expect(exitCode, stderr).toBe(0);
  expect(judgementDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ table: "-", rows: 14, verdict: { result: "positive" } });
});

test("--assert decides the exit code", async () => {
  const asserted = (table: string, result: string) => run(["judge", table, "--control", "base", "--assert", result], { cwd, env });
  const { exitCode, stderr } = await asserted("none.csv", "positive");
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "Expected positive, but the result is inconclusive" });
});

test("the hash of rules is that of the judgement, and a page and a figure are written", async () => {
  const { stdout: hash } = await run(["judge", "--rules", "rules.yaml", "--sha256"], { cwd, env });
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  const args = ["judge", "clear.csv", "--control", "base", "--rules", "rules.yaml", "--assert", "positive", "--report", "page.html", "--figures", "figures"];
  const { exitCode, stdout } = await run(args, { cwd, env });
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`SHA-256 of the rules: ${hash}`);
  expect(readFileSync(join(cwd, "page.html"), "utf8")).toContain("new against base: positive");
  expect(readdirSync(join(cwd, "figures"))).toEqual(expect.arrayContaining(["forest.svg", "forest.png", "forest.csv", "forest.json"]));
});

test("what is missing or occupied is named before anything is judged", async () => {
  const refused = async (...args: string[]) => await run(["judge", ...args], { cwd, env });
  expect(await refused("clear.csv")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--control") as string });
  expect(await refused("nothing.csv", "--control", "base")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("there is no such file") as string });
  writeFileSync(join(cwd, "mine.html"), "mine");
  expect(await refused("clear.csv", "--control", "base", "--report", "mine.html")).toMatchObject({ exitCode: 1, stdout: "" });
  expect(readFileSync(join(cwd, "mine.html"), "utf8")).toBe("mine");
  expect(existsSync(join(cwd, "no-python"))).toBe(false);
});
