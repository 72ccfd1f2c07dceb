import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { compareDocumentSchema, reproduceDocumentSchema } from "../../src/commands/documents.js";
import { compare, locateDivergences } from "../../src/compare/compare.js";
import type { RunInput } from "../../src/config/resolve-run-config.js";
import { resolvePython } from "../../src/python/require-packages.js";
import { recordOtherNumber } from "./flip-bit.js";
import { eventually, run, start, temporaryFolder, warmPython } from "./program.js";
import { trainTogether } from "./train-together.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
/** Only the first and the last state are recorded; the learning rate falls in the last steps. */
const falling = (num_decay_steps: number): RunInput => ({
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 8, per_device_train_batch_size: 4, lr_scheduler_type: "warmup_stable_decay", lr_scheduler_kwargs: { num_decay_steps } },
  checkpoint: { every: 4 },
  record: { every: 8 },
});

let [early = "", late = "", other = ""]: string[] = [];
beforeAll(async () => {
  [early = "", late = ""] = await trainTogether(join(folder.path, "runs"), falling(3), falling(2));
  other = join(folder.path, "other");
  cpSync(early, other, { recursive: true });
  recordOtherNumber(other, { snapshot: 1, token: 17, component: 5 });
});

/** A folder for temporary files alone. */
function temporaryFiles(name: string): string {
  const temporary = join(folder.path, name);
  mkdirSync(temporary);
  return temporary;
}

/** What we left among temporary files; torch has a folder of its own there. */
function ours(temporary: string): string[] {
  return readdirSync(temporary).filter((name) => name.startsWith("bh-bridge"));
}

test("the step in which two runs part is found between recorded states, from a checkpoint, with what made it; its files are gone", {
  timeout: 300_000,
}, async () => {
  const temporary = temporaryFiles("temporary");
  vi.stubEnv("TMPDIR", temporary);
  const comparison = await compare([early, late]);
  expect(comparison.history[0]).toMatchObject({ equalTo: 0, first: { step: 8 } });
  const begun: [run: string, fromStep: number, until: number][] = [];
  const found = await locateDivergences(comparison, {
    python: () => resolvePython({ python: warmPython }),
    listen: ({ directory }, until) => ({ onStart: ({ fromStep }) => begun.push([directory, fromStep, until]) }),
  });
  // A cosine over 3 steps is at 0.75 after the first of them; one over 2 steps has not begun.
  const lr = { quantity: "setting", module: "transformer.wte", tensor: "weight.lr", a: 0.00075, b: 0.001 };
  const until = comparison.loss[0]?.first?.step ?? 8;
  expect(found).toMatchObject([{ a: early, b: late, until, equalTo: 6, step: 7, first: lr, module: null, unlike: [] }]);
  expect(begun).toEqual([
    [early, 0, until],
    [late, 0, until],
    [early, 4, 7],
    [late, 4, 7],
  ]);
  vi.unstubAllEnvs();
  expect(ours(temporary)).toEqual([]);
});

test("another bit is not reproduced, and the run that has it is named", { timeout: 300_000 }, async () => {
  const { exitCode, stdout, stderr } = await run(["compare", early, other, "--deep", "--json"]);
  expect(exitCode, stderr).toBe(0);
  const history = expect.objectContaining({ step: 8, tensor: "wte", token: 17, component: 5, ulp: 1 });
  expect(compareDocumentSchema.parse(JSON.parse(stdout)).deep).toEqual([
    { a: early, b: other, until: 8, equalTo: 8, step: null, first: null, module: null, unlike: [{ which: "b", history, loss: null }] },
  ]);
});

test("a run that does not come out again is trained twice more, and comes out the same twice", { timeout: 300_000 }, async () => {
  const { exitCode, stdout, stderr } = await run(["reproduce", other, "--deep", "--json"]);
  expect(exitCode, stderr).toBe(1);
  const { equal, deep } = reproduceDocumentSchema.parse(JSON.parse(stdout));
  expect(equal).toBe(false);
  expect(deep).toMatchObject({ a: other, b: other, until: 8, equalTo: 8, first: null, module: null, unlike: [{ which: "a" }, { which: "b" }] });
});

test("Ctrl-C ends it and leaves nothing", { timeout: 300_000 }, async () => {
  const temporary = temporaryFiles("temporary-of-stopped");
  const process = start(["compare", early, late, "--deep", "--json"], { env: { TMPDIR: temporary } });
  expect(await eventually(() => readdirSync(temporary, { recursive: true, encoding: "utf8" }).some((name) => name.endsWith("trace.json")), 200_000)).toBe(true);
  process.kill("SIGINT");
  const { exitCode, stdout } = await process;
  expect(exitCode).toBe(130);
  expect(JSON.parse(String(stdout))).toMatchObject({ code: "ABORTED" });
  expect(ours(temporary)).toEqual([]);
});
