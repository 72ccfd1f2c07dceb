import { describe, expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { diffRunConfigs } from "../../../../src/config/diff-run-configs.js";
import type { PresetName } from "../../../../src/config/presets.js";
import type { RunInput } from "../../../../src/config/resolve-run-config.js";
import type { RunConfig } from "../../../../src/config/run-config-schema.js";
import { type ExperimentPresetName, experimentPresetNames, experimentPresets } from "../../../../src/sweep/experiment/experiment-presets.js";
import { loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";

/** The configurations of the arms: those of the base with what the arm sets. */
async function armsOf(name: ExperimentPresetName): Promise<RunConfig[]> {
  const { base, arms } = experimentPresets[name].experiment;
  const start: RunInput = typeof base === "string" ? { preset: base as PresetName } : base;
  const sections = (arm: object) =>
    Object.fromEntries(Object.entries(arm).map(([key, value]) => [key, { ...(start[key as keyof RunInput] as object), ...value }]));
  return Promise.all(Object.values(arms).map(async (arm) => (await loadRunConfig({ input: { ...start, ...sections(arm) } })).config));
}

const differing = async (name: ExperimentPresetName) => {
  const [control, treatment] = await armsOf(name);
  return control && treatment && diffRunConfigs(control, treatment).map(({ path, before, after }) => [path, before, after]);
};

test.each(experimentPresetNames)("%s is an experiment of two arms and ten seeds, and says what it asks and what confounds it", async (name) => {
  const { asks, confound } = experimentPresets[name];
  expect(asks).toMatch(/\?$/);
  expect(confound).toMatch(/\.$/);
  expect(await loadExperiment(name)).toMatchObject({ name, seeds: [42, 43, 44, 45, 46, 47, 48, 49, 50, 51], rules: { score: "notebook", alpha: 0.05 } });
});

describe("the arms differ in one field", () => {
  test.each([
    ["rmsnorm-vs-layernorm", ["model.norm", "layernorm", "rmsnorm"]],
    ["rmsnorm-vs-layernorm-clean", ["model.norm", "layernorm", "rmsnorm"]],
    ["jiggle-vs-still", ["noise.epsilon", 0, 3e-5]],
    ["f32-vs-bf16-init", ["init.noise_dtype", "bfloat16", "float32"]],
  ] as const)("%s", async (name, field) => {
    expect(await differing(name)).toEqual([field]);
  });
});

test("the clean one treats both norms alike, keeps the learning rate, shifts labels once and has float32 moments", async () => {
  for (const { training, data } of await armsOf("rmsnorm-vs-layernorm-clean")) {
    expect(training).toMatchObject({ decay_norms: "never", lr_scheduler_type: "constant", optimizer_state_dtype: "float32", max_steps: 10_000 });
    expect(data.label_shift).toBe("causal");
  }
});

test("15.1c trains 2,000 steps of 64 windows with LayerNorm, and counts black holes of dead tokens at three steps", async () => {
  for (const { training, model, init } of await armsOf("f32-vs-bf16-init")) {
    expect(training).toMatchObject({ max_steps: 2000, per_device_train_batch_size: 64 });
    expect(model.norm).toBe("layernorm");
    expect(init).toMatchObject({ kind: "unit-noise", sigma: 1e-5 });
  }
  expect(await loadExperiment("f32-vs-bf16-init")).toMatchObject({ rules: { decides: ["deadC"] }, measures: ["deadC@0", "deadC@1000", "deadC@2000"] });
});
