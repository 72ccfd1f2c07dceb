import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { diffRunConfigs } from "../../../../src/config/config-hash.js";
import type { PresetName } from "../../../../src/config/presets.js";
import type { RunInput } from "../../../../src/config/resolve-run-config.js";
import type { RunConfig } from "../../../../src/config/run-config-schema.js";
import {
  defineExperiment,
  type ExperimentPresetName,
  experimentPresetNames,
  experimentPresets,
  experimentSchema,
  loadExperiment,
  plannedSeeds,
} from "../../../../src/sweep/experiment/load-experiment.js";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const directory = temporaryDirectory();
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return name;
};

const yaml = `base: rmsnorm-11.2a
arms:
  layernorm: { model: { norm: layernorm } }
  rmsnorm: {}
seeds: 42..51
rules:
  decides: [score, deadC]
  margin: { deadC: 1 }
`;

test("a file is read with its rules filled in, and named by its file", async () => {
  const experiment = await loadExperiment(file("norms.yaml", yaml), directory);
  expect(experiment).toMatchObject({
    name: "norms",
    directory,
    base: "rmsnorm-11.2a",
    arms: { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} },
    seeds: [42, 43, 44, 45, 46, 47, 48, 49, 50, 51],
    measures: [],
    rules: { score: "notebook", decides: ["score", "deadC"], margin: { score: 0, deadC: 1 }, alpha: 0.05 },
  });
  expect(Object.keys(experiment.arms)).toEqual(["layernorm", "rmsnorm"]);
  expect(experiment.sourceOf("arms.rmsnorm")).toBe("norms.yaml:4:3");
});

test("a TypeScript file and a definition say the same", async () => {
  const text = `export default { name: "norms", base: "quick", arms: { a: {}, b: { "model.norm": "layernorm" } }, seeds: [1, 2] };`;
  const definition = { name: "norms", base: "quick", arms: { a: {}, b: { "model.norm": "layernorm" } }, seeds: [1, 2] };
  const { sourceOf: _, ...read } = await loadExperiment(file("norms.ts", text), directory);
  const { sourceOf: __, ...given } = await loadExperiment(definition, directory);
  expect(read).toEqual(given);
});

test("all that is wrong is told at once, each with its place", async () => {
  const text = "arm: {}\narms:\n  only: {}\nrules:\n  decides: [dedC]\n  alpha: 2\n";
  await expect(loadExperiment(file("wrong.yaml", text), directory)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [
      { path: "arms", source: "wrong.yaml:2:1" },
      { path: "rules.alpha", source: "wrong.yaml:6:3" },
      { path: "rules.decides.0", message: expect.stringContaining('did you mean "deadC"'), source: "wrong.yaml" },
      { path: "arm", message: "unknown field; did you mean arms?", source: "wrong.yaml:1:1" },
    ],
  });
});

test("a misspelt preset is refused with the nearest", async () => {
  await expect(loadExperiment("rmsnorm-vs-layernom", directory)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining('did you mean "rmsnorm-vs-layernorm"?'),
  });
});

test("a file that is not there is said to be missing", async () => {
  await expect(loadExperiment("nothing.yaml", directory)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("there is no such file"),
  });
});

const arms = { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} };
const problems = (experiment: unknown) => experimentSchema.safeParse(experiment).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);

test("arms are all that has to be written", () => {
  const rules = { score: "notebook", decides: ["score", "deadC"], alpha: 0.05, nullBelow: 0.3, test: "mean", sequential: false };
  expect(experimentSchema.parse({ arms })).toEqual({ arms, measures: [], rules });
});

test("one arm compares nothing", () => {
  expect(problems({ arms: { only: {} } })).toEqual(["arms: an experiment needs at least two arms; the first is the control"]);
});

test("an arm whose name is a number would not keep its place", () => {
  expect(problems({ arms: { b: {}, 1: {} } })).toEqual([expect.stringContaining("arms.1: the name of an arm")]);
});

test("a misspelt measure is refused with the nearest, wherever it stands", () => {
  expect(problems({ arms, measures: ["deadc"], rules: { decides: ["scor"] } })).toEqual([
    expect.stringMatching(/^rules\.decides\.0: .*did you mean "score"/),
    expect.stringMatching(/^measures\.0: .*did you mean "deadC"/),
  ]);
});

test("an experiment is given back as it was written, arms by sections or by dotted paths", () => {
  const written = { base: "quick", arms: { a: { model: { norm: "layernorm" } }, b: { "model.norm": "rmsnorm" } }, seeds: "1..3" } as const;
  expect(defineExperiment(written)).toBe(written);
});

test("the compiler refuses a misspelt section, field or value of an arm", () => {
  // @ts-expect-error: no section of this name
  defineExperiment({ arms: { a: {}, b: { modle: {} } } });
  // @ts-expect-error: no field of this name
  defineExperiment({ arms: { a: {}, b: { model: { nrom: "layernorm" } } } });
  // @ts-expect-error: no norm of this name
  defineExperiment({ arms: { a: {}, b: { model: { norm: "batchnorm" } } } });
  // @ts-expect-error: arms are what an experiment is about
  defineExperiment({ base: "quick" });
});

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

test.each([
  { seeds: [1, 2, 3], maxSeeds: 2, sequential: true, planned: [1, 2] },
  { seeds: [5, 3], maxSeeds: 5, sequential: true, planned: [5, 3, 4, 6, 7] }, // the numbers after the last that are not listed
  { seeds: [1, 2, 3], sequential: true, planned: [1, 2, 3] },
  { sequential: false, planned: [42] },
])("seeds $seeds with a maximum of $maxSeeds are $planned", ({ planned, sequential, ...listed }) => {
  const rules = appliedRules(rulesSchema.parse({ sequential }));
  expect(plannedSeeds({ ...listed, rules }, 42)).toEqual(planned);
});

test("a sequential experiment without seeds plans 40 from that of its base", () => {
  expect(plannedSeeds({ rules: appliedRules(rulesSchema.parse({ sequential: true })) }, 42)).toEqual(Array.from({ length: 40 }, (_, at) => 42 + at));
});
