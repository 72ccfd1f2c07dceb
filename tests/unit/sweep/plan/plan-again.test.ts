import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolvePython } from "../../../../src/python/require-packages.js";
import { LocalExecutor } from "../../../../src/sweep/executors/local/local-executor.js";
import { loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";
import { loadBase } from "../../../../src/sweep/grammar/load-base.js";
import { loadSweep } from "../../../../src/sweep/grammar/load-sweep.js";
import type { SweepDefinition } from "../../../../src/sweep/grammar/sweep-schema.js";
import { createPlanDirectory, planText } from "../../../../src/sweep/plan/plan-directory.js";
import { planAgain, planExperiment, planSweep } from "../../../../src/sweep/plan/plan-experiment.js";
import { python as interpreter, temporaryDirectory } from "../../formats/reference-python.js";

const python = await resolvePython({ python: interpreter });
const executor = new LocalExecutor(python);
const out = temporaryDirectory();
const corpus = join(out, "text.txt");
writeFileSync(corpus, "A text of its own, long enough for a window. ".repeat(10));
const base = { preset: "quick", device: "cpu", data: { corpus } } as const;

test("the plan of an experiment is made again from its directory, rules and trials the same", async () => {
  const arms = { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} } as const;
  const loaded = await loadExperiment({ base, arms, seeds: "42..43", rules: { margin: { deadC: 1 }, decides: ["deadC"] }, measures: ["deadC@0"] });
  const plan = await planExperiment(loaded, await loadBase(loaded.base, {}, { directory: ".", cwd: "." }), executor);
  const stored = planAgain(createPlanDirectory(out, plan));
  const again = await stored.plan(executor);
  expect(planText(again)).toBe(planText(plan));
  expect(again.trials).toEqual(plan.trials);
  expect(stored.question?.arms).toEqual(["layernorm", "rmsnorm"]);
});

test("that of a sweep too, and what no longer comes to the same trials is refused", async () => {
  const input: SweepDefinition = { base, grid: { "training.learning_rate": [1e-3, 3e-4] }, seeds: [1, 2], prune: { every: 10, when: "allFrozen" } };
  const plan = await planSweep(await loadSweep({ input }), { executor, python, out });
  const stored = planAgain(createPlanDirectory(out, plan));
  expect(planText(await stored.plan(executor))).toBe(planText(plan));
  expect(stored.question).toBeNull();
  writeFileSync(corpus, "Another text, which is long enough for a window as well. ".repeat(10));
  await expect(stored.plan(executor)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("with --retry") });
});

test("a folder without a plan is told", () => {
  expect(() => planAgain(out)).toThrow(/is neither a sweep nor an experiment/);
});
