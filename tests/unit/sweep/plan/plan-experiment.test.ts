import { expect, test } from "vitest";
import { resolvePython } from "../../../../src/python/require-packages.js";
import { LocalExecutor } from "../../../../src/sweep/executors/local/local-executor.js";
import { type ExperimentDefinition, loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";
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

test.each([
  ["a default that one of them states", { a: {}, b: { model: { norm: "rmsnorm" } } }],
  ["nothing at all", { a: {}, b: {} }],
  ["a name alone", { a: {}, b: { name: "other" } }],
  ["what is stored of a run", { a: {}, b: { record: { every: 2 }, checkpoint: { every: 100 } } }],
  ["the device that auto stands for", { a: {}, b: { device: "auto" } }],
] as const)("arms that differ by %s share their runs and are refused by name", async (_, equal) => {
  const refused = plan({ base, arms: equal, seeds: [1, 2] });
  await expect(refused).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "arms.b", message: expect.stringContaining('arm "a"'), source: "input" }],
  });
});

test("of three arms the two equal ones are named", async () => {
  const refused = plan({ base, arms: { ...arms, again: { "model.norm": "layernorm" } }, seeds: 1 });
  await expect(refused).rejects.toMatchObject({ issues: [{ path: "arms.again", message: expect.stringContaining('arm "layernorm"') }] });
});

test.each([[1, 1, 2], "3..1"])("seeds %j are refused", async (seeds) => {
  await expect(plan({ base, arms, seeds: seeds as string })).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: [{ path: "seeds" }] });
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
