import { expect, test } from "vitest";
import { resolvePython } from "../../../../src/python/resolve-python.js";
import { LocalExecutor } from "../../../../src/sweep/executors/local/local-executor.js";
import type { ExperimentDefinition } from "../../../../src/sweep/experiment/define-experiment.js";
import { loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";
import { type BaseSources, loadBase } from "../../../../src/sweep/grammar/load-base.js";
import { planExperiment } from "../../../../src/sweep/plan/plan-experiment.js";
import { python as interpreter } from "../../formats/reference-python.js";

const executor = new LocalExecutor(await resolvePython({ python: interpreter }));

async function plan(definition: ExperimentDefinition, sources: BaseSources = {}) {
  const loaded = await loadExperiment(definition);
  return planExperiment(loaded, await loadBase(loaded.base, sources, { directory: ".", cwd: "." }), executor);
}

const base = { preset: "quick", device: "cpu" } as const;
const arms = { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} } as const;

test("every arm with every seed is a trial, both arms of a seed before the next", async () => {
  const { trials, question } = await plan({ base, arms, seeds: "42..43" });
  expect(trials.map(({ set }) => set)).toEqual([{ "model.norm": "layernorm", seed: 42 }, { seed: 42 }, { "model.norm": "layernorm", seed: 43 }, { seed: 43 }]);
  expect(question.cells.map(({ arm, seed }) => [arm, seed])).toEqual([
    ["layernorm", 42],
    ["rmsnorm", 42],
    ["layernorm", 43],
    ["rmsnorm", 43],
  ]);
  expect(question.cells.map(({ trial }) => trial)).toEqual(trials.map(({ trial }) => trial));
});

test("arms that come to the same share their trials", async () => {
  const { trials, question } = await plan({ base, arms: { a: {}, b: { model: { norm: "rmsnorm" } } }, seeds: [1, 2] });
  expect(trials).toHaveLength(2);
  expect(question.cells.map(({ trial }) => trial)).toEqual([trials[0]?.trial, trials[0]?.trial, trials[1]?.trial, trials[1]?.trial]);
});

test("its directory is of base and rules: more seeds and arms belong to it, another rule or base does not", async () => {
  const { hash } = await plan({ base, arms, seeds: 1 });
  expect((await plan({ base, arms: { ...arms, clean: { training: { weight_decay: 0 } } }, seeds: "1..3" })).hash).toBe(hash);
  expect((await plan({ base, arms, seeds: 1, rules: { alpha: 0.01 } })).hash).not.toBe(hash);
  expect((await plan({ base, arms, seeds: 1 }, { aliases: { steps: "5" } })).hash).not.toBe(hash);
});

test("an arm that sets the seed, or what is set for all runs, is refused", async () => {
  await expect(plan({ base, arms: { a: { seed: 1 }, b: {} } })).rejects.toMatchObject({ issues: [{ path: "arms.a.seed" }] });
  await expect(plan({ base, arms }, { set: ["model.norm=layernorm"] })).rejects.toMatchObject({ issues: [{ path: "model.norm", source: "--set" }] });
});

test("a misspelt field of an arm is told with its place", async () => {
  const wrong = { a: {}, b: { "training.learning_rat": 1 } };
  await expect(plan({ base, arms: wrong })).rejects.toMatchObject({
    issues: [{ path: "training.learning_rat", message: "unknown field; did you mean training.learning_rate?", source: "input" }],
  });
});
