import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { warmPython } from "./real-python.js";
import { startProgram } from "./run-program.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What an example prints, run as a user runs it: with the package as it is built, in a folder of its own. */
async function run(name: string, ...args: string[]): Promise<string> {
  const environment = { JITI_ALIAS: JSON.stringify({ "bh-bridge": resolve("dist/index.js") }), BH_BRIDGE_PYTHON: warmPython };
  const { ended, stdout, stderr } = startProgram(`examples/${name}.ts`, args, environment, folder);
  const [code] = await ended;
  expect(code, await stderr).toBe(0);
  return stdout;
}

let saved = "";
beforeAll(async () => {
  saved = await run("train-generate-save", "5", join(folder, "saved"));
});

test("there is a test for each example", () => {
  const names = readdirSync("examples").map((file) => file.replace(/\.ts$/, ""));
  const here = ["census-of-checkpoint", "custom-init", "early-stopping", "live-loss-plot", "seed", "train-generate-save"];
  const inPython = ["draw_figures.py", "one_layer_attention.py", "open-a-run.ipynb"]; // test_draw_figures.py, own-model.test.ts, test_example_notebook.py
  expect(names.sort()).toEqual([...here, ...inPython].sort());
});

test("train-generate-save evaluates, writes 80 bytes and leaves a directory", () => {
  expect(saved).toMatch(/^held-out loss \d\.\d{3}, perplexity \d+\.\d$/m);
  expect(saved).toContain("In my younger ");
  expect(readdirSync(join(folder, "saved"))).toEqual(expect.arrayContaining(["config.json", "model.safetensors"]));
});

test("census-of-checkpoint counts what it left", async () => {
  expect(await run("census-of-checkpoint", join(folder, "saved"))).toMatch(/BF16 \[128, 64\], \d+ distinct of 128 rows\nC = \d+ black holes/);
});

test("seed prints its black holes and a verdict", async () => {
  expect(await run("seed", "5")).toMatch(/black holes hold \d+ tokens, [\d, ]+; 51 tokens are dead\nVerdict: null\. /);
});

test("early-stopping is stopped by its decider", async () => {
  expect(await run("early-stopping", "30", "10")).toMatch(/loss \d\.\d{4} at step 10, low enough\nstopped by the decider after 10 of 30 steps/);
});

test("live-loss-plot draws a point for each step", async () => {
  const output = await run("live-loss-plot", "8");
  expect(output.match(/•/g)).toHaveLength(8);
  expect(output).toContain("8 steps, last loss");
});

test("custom-init begins with the two rows that it set", async () => {
  expect(await run("custom-init", "5")).toMatch(/^before: 2 distinct rows, C = 2, P = 128$/m);
});
