import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { deviceKind, modelInWords, modelSeeds, modelSize, runConfigFields, trainingSeeds, windowLength } from "../../../src/config/run-config-fields.js";

const accepts = (input: object) => runConfigFields.safeParse(input).success;

test("a configuration of nothing is complete, and plain data", () => {
  const config = runConfigFields.parse({});
  expect(config).toMatchObject({
    seed: 42,
    device: "auto",
    threads: null,
    engine: { name: "trainer", exact: "auto", graph: "auto", processes: 1 },
    init: { kind: "singular" },
    noise: { epsilon: 0, last_step: null },
  });
  expect(runConfigFields.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
});

test.each([
  ["the seeds of 32 bits", [0, 2 ** 32 - 1].map((seed) => ({ seed })), [-1, 2 ** 32, 1.5, "1"].map((seed) => ({ seed }))],
  ["threads that a machine may have", [null, 1, 1024].map((threads) => ({ threads })), [0, 1025, 0.5].map((threads) => ({ threads }))],
  [
    "devices by kind or number",
    ["auto", "cpu", "cuda", "mps", "cuda:0", "cuda:12"].map((device) => ({ device })),
    ["gpu", "cuda:", "cuda:-1", "cuda:1.5", "cpu:0", ""].map((device) => ({ device })),
  ],
  [
    "noise that is a number from 0 on",
    [0, 1e-9, 5].map((epsilon) => ({ noise: { epsilon } })),
    [-1, Number.NaN, Number.POSITIVE_INFINITY].map((epsilon) => ({ noise: { epsilon } })),
  ],
  ["a last step with noise", [null, 1, 300].map((last_step) => ({ noise: { last_step } })), [0, -1, 1.5].map((last_step) => ({ noise: { last_step } }))],
  [
    "batched runs",
    [1, 2, 64].map((batched_runs) => ({ engine: { name: "fast", batched_runs } })),
    [0, 65, 1.5, null].map((batched_runs) => ({ engine: { name: "fast", batched_runs } })),
  ],
  ["names with a letter", [{ name: "a" }, { name: "x".repeat(200) }], [{ name: "" }, { name: "x".repeat(201) }]],
  [
    "methods of the step",
    [{ engine: { exact: "off" } }, { engine: { name: "fast", compile: "on" } }],
    [{ engine: { exact: "on" } }, { engine: { name: "fast", compile: true } }, { engine: { compile: "on" } }, { engine: { name: "fast", exact: "off" } }],
  ],
])("it takes %s, and nothing else", (_, good, bad) => {
  for (const input of good) expect(accepts(input), JSON.stringify(input)).toBe(true);
  for (const input of bad) expect(accepts(input), JSON.stringify(input)).toBe(false);
});

test("a field of no configuration is refused in every section", () => {
  for (const section of ["data", "model", "noise", "record", "checkpoint"]) expect(accepts({ [section]: { novelty: 1 } }), section).toBe(false);
  expect(accepts({ novelty: 1 })).toBe(false);
});

test("sizes go by the names that a family gives them", () => {
  const sizes = (model: Parameters<typeof parseRunConfig>[0]) => {
    const config = parseRunConfig({ model, data: { window_length: 8 } });
    return [modelSize(config.model, "width"), modelSize(config.model, "layers"), modelSize(config.model, "positions")];
  };
  expect(sizes({ n_embd: 32, n_layer: 3, n_positions: 16 })).toEqual([32, 3, 16]);
  expect(sizes({ type: "llama", hidden_size: 32, num_hidden_layers: 3, max_position_embeddings: 16 })).toEqual([32, 3, 16]);
  expect(sizes({ type: "mamba", hidden_size: 32 })).toEqual([32, undefined, undefined]);
});

test("a window is as long as the model has positions, or as it is set", () => {
  expect(windowLength(parseRunConfig({ model: { type: "qwen3" } }))).toBe(128);
  expect(windowLength(parseRunConfig({ data: { window_length: 9 } }))).toBe(9);
});

test("a model in words", () => {
  const words = (model: object) => modelInWords(parseRunConfig({ model }).model);
  expect([words({}), words({ norm: "native" }), words({ type: "qwen3" }), words({ type: "llama", norm: "layernorm" })]).toEqual([
    "GPT-2 with RMSNorm",
    "GPT-2 with LayerNorm",
    "Qwen3",
    "Llama with LayerNorm",
  ]);
});

test("each stream follows the seed of the run until it has one of its own", () => {
  const plain = parseRunConfig({ seed: 7 });
  expect({ ...modelSeeds(plain), ...trainingSeeds(plain) }).toEqual({ weights: 7, init: 7, data: 7, noise: 7 });
  const apart = parseRunConfig({ seed: 7, seeds: { init: 1, data: 0 } });
  expect({ ...modelSeeds(apart), ...trainingSeeds(apart) }).toEqual({ weights: 7, init: 1, data: 0, noise: 7 });
});

test("HF's own name for the seed of the data means the same", () => {
  expect(trainingSeeds(parseRunConfig({ training: { data_seed: 3 } }))).toEqual({ data: 3, noise: 42 });
});

test.each([
  ["cpu", "cpu"],
  ["mps", "mps"],
  ["cuda:1", "cuda"],
  ["cuda: NVIDIA H100 80GB HBM3", "cuda"],
])("%s is of the kind %s", (device, kind) => {
  expect(deviceKind(device)).toBe(kind);
});
