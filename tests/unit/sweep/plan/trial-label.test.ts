import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { configHash } from "../../../../src/config/config-hash.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import type { Plan } from "../../../../src/sweep/plan/plan.js";
import type { Trial } from "../../../../src/sweep/plan/plan-trials.js";
import { armLabel, distinctLabels, requireGpus, requireStacks, taskOf, trialLabel } from "../../../../src/sweep/plan/trial-label.js";
import type { SweepTrial } from "../../../../src/sweep/sweep-document.js";

test("a run of an experiment is named after arm and seed, also where the base has a name", async () => {
  const base = await loadRunConfig({ input: { name: "all" } });
  const plan: Plan = { name: "norms", base, trials: [], prune: null, question: null, hash: "", machine: { device: "cpu", gpus: 0, cores: 1 } };
  const trial = { trial: "t", arm: "rmsnorm", set: { "model.norm": "rmsnorm", seed: 42 }, config: base.config, corpus: "c" };
  expect(taskOf(plan, trial, "/out").config.name).toBe("rmsnorm-seed-42");
  expect(taskOf(plan, { ...trial, set: { name: "own" }, config: { ...base.config, name: "own" } }, "/out").config.name).toBe("own");
});

test("a run is called after what its trial sets, unless the trial has a name; its identity stays", async () => {
  const base = await loadRunConfig({});
  const plan = { name: "sigma", base, trials: [], prune: null, question: null, hash: "", machine: { device: "cpu", gpus: 0, cores: 1 } } as const;
  const trial = { trial: "t", set: { "init.sigma": 1e-5, "model.norm": "rmsnorm" }, config: base.config, corpus: "c" };
  const task = taskOf({ ...plan, trials: [trial] }, trial, "/out");
  expect(task).toMatchObject({ trial: "t", preset: "rmsnorm-11.2a", corpus: "c", out: "/out", run: null, prune: null });
  expect(task.config.name).toBe("sigma init.sigma=0.00001 model.norm=rmsnorm");
  expect(configHash(task.config)).toBe(base.hash);
  expect(taskOf({ ...plan, trials: [] }, { ...trial, config: { ...base.config, name: "mine" } }, "/out").config.name).toBe("mine");
});

test.each<[SweepTrial["set"], string]>([
  [{}, "base"],
  [{ "init.sigma": 1e-5, seed: 3 }, "init.sigma=0.00001 seed=3"],
  [{ "model.norm": "rmsnorm", "record.rows": [1, 2], threads: null }, "model.norm=rmsnorm record.rows=[1,2] threads=null"],
])("a trial is labelled by what it sets: %j", (set, label) => expect(trialLabel({ set })).toBe(label));

test("a run of an experiment is labelled by arm and seed", () => {
  expect(trialLabel({ arm: "rmsnorm", set: { "model.norm": "rmsnorm", seed: 42 } })).toBe("rmsnorm-seed-42");
  expect(armLabel("rmsnorm", {})).toBe("rmsnorm");
});

test("an escape sequence in a value does nothing to the terminal", () => expect(trialLabel({ set: { name: "a\u001b[31mb" } })).not.toContain("\u001b"));

test("labels have the fields that differ, with their sections only where two fields share a name", () => {
  const sets = [
    { "model.norm": "rmsnorm", "init.sigma": 1e-5, "noise.sigma": 1, seed: 1 },
    { "model.norm": "rmsnorm", "init.sigma": 1e-4, "noise.sigma": 2, seed: 2 },
  ];
  const labelOf = distinctLabels(sets.map((set) => ({ set })));
  expect(sets.map((set) => labelOf({ set }))).toEqual(["init.sigma=0.00001 noise.sigma=1 seed=1", "init.sigma=0.0001 noise.sigma=2 seed=2"]);
  const seeds = distinctLabels([1, 2].map((seed) => ({ set: { "training.learning_rate": 1e-3, seed } })));
  expect(seeds({ set: { "training.learning_rate": 1e-3, seed: 2 } })).toBe("seed=2");
});

const trialsOf = (...inputs: RunConfigInput[]): Trial[] =>
  inputs.map((input, index) => ({ trial: String(index), set: {}, corpus: "text", config: parseRunConfig({ engine: "fast", seed: index, ...input }) }));
const local = { name: "local" } as const;

test("a stack that the trials of a plan do not fill is refused, with the number that does", () => {
  expect(() => requireStacks(trialsOf({ stack: 3 }, { stack: 3 }), local)).toThrow(
    "engine.batched_runs is 3, and 2 trials of this plan can be computed together: they may differ only in seeds, init and training.learning_rate. Set engine.batched_runs to at most 2",
  );
  const twoShapes = trialsOf({ stack: 2 }, { stack: 2, model: { n_embd: 32 } });
  expect(() => requireStacks(twoShapes, local)).toThrow("engine.batched_runs is 2, and 1 trial of this plan can be computed together");
  expect(() => requireStacks(trialsOf({ stack: 2 }, { stack: 2 }, { stack: 2 }, {}), local)).not.toThrow();
});

test("an executor that trains each trial alone has no stack", () => {
  expect(() => requireStacks(trialsOf({ stack: 2 }, { stack: 2 }), { name: "ray", trainsAlone: true })).toThrow(
    "engine.batched_runs is 2, and executor ray trains each trial alone",
  );
  expect(() => requireStacks(trialsOf({}), { name: "ray", trainsAlone: true })).not.toThrow();
});

test("engine fast is refused where a trial that is left would run on a CPU", () => {
  const machine = (device: "cpu" | "cuda") => ({ device, gpus: 0, cores: 2 });
  expect(() => requireGpus(trialsOf({}), machine("cpu"))).toThrow("engine: fast supports only GPUs");
  expect(() => requireGpus(trialsOf({ device: "cuda" }, { device: "cpu" }), machine("cuda"))).toThrow("Train a new run with --engine portable");
  expect(() => requireGpus(trialsOf({}, { device: "mps" }), machine("cuda"))).not.toThrow();
  expect(() => requireGpus([{ config: parseRunConfig({ engine: "portable" }) }], machine("cpu"))).not.toThrow();
  expect(() => requireGpus([], machine("cpu"))).not.toThrow();
});
