import { expect, test } from "vitest";
import { fieldPaths } from "../../../src/config/json-schema.js";
import { configValues } from "../../../src/config/json-value.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { runConfigSchema } from "../../../src/config/run-config-schema.js";
import { problems } from "./rules/rule-cases.js";

// The seed as configuration.md and the notebook have it, written out by hand.
const seed = {
  seed: 42,
  device: "auto",
  threads: null,
  engine: { name: "trainer", exact: "auto", graph: "auto", processes: 1 },
  data: { corpus: null, label_shift: "double", held_out: 0 },
  model: {
    norm: "rmsnorm",
    dtype: "bfloat16",
    from: null,
    vocab_size: 128,
    n_positions: 128,
    n_embd: 64,
    n_layer: 2,
    n_head: 2,
    n_inner: null,
    activation_function: "gelu_new",
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
    layer_norm_epsilon: 0.00001,
    initializer_range: 0.02,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    reorder_and_upcast_attn: false,
    tie_word_embeddings: true,
  },
  init: { kind: "singular" },
  noise: { epsilon: 0 },
  training: {
    max_steps: 10_000,
    per_device_train_batch_size: 32,
    gradient_accumulation_steps: 1,
    train_sampling_strategy: "random",
    learning_rate: 0.001,
    lr_scheduler_type: "linear",
    warmup_steps: 0,
    weight_decay: 0.01,
    decay_norms: "hf",
    max_grad_norm: 1,
    optim: "adamw_torch_fused",
    adam_beta1: 0.9,
    adam_beta2: 0.999,
    adam_epsilon: 1e-8,
    optimizer_state_dtype: "model",
    bf16: true,
    logging_steps: 100,
    dataloader_num_workers: 0,
  },
  record: { tensors: ["wte"], every: 1, rows: "all" },
  checkpoint: { every: 1000, keep: 2 },
};

test("the defaults are the seed, and survive JSON", () => {
  const defaults = runConfigSchema.parse({});
  expect(defaults).toMatchObject(seed);
  expect(runConfigSchema.parse(JSON.parse(JSON.stringify(defaults)))).toEqual(defaults);
});

test("every field has a default but names, paths, what a kind of model, engine or initial state adds, and what HF decides", () => {
  const defaults = configValues(runConfigSchema.parse({}));
  const open = fieldPaths().filter((path) => !defaults.has(path) && !/^(?:training|model|engine)\./.test(path));
  const ofInit = ["sigma", "noise_dtype", "path", "tensor", "step", "code", "function"].map((field) => `init.${field}`);
  expect(open).toEqual(["name", "python", ...ofInit, "record.schedules", "preset"]);
});

test("the fields of training that have a default come first", () => {
  const training = fieldPaths().filter((path) => path.startsWith("training."));
  const explicit = Object.keys(seed.training).map((field) => `training.${field}`);
  expect(training.slice(0, explicit.length)).toEqual(explicit);
});

test("qwen is another name of singular", () => {
  expect(runConfigSchema.parse({ init: { kind: "qwen" } }).init).toEqual({ kind: "singular" });
});

test.each([
  { kind: "snowball", filled: { kind: "snowball", sigma: 1e-5 } },
  { kind: "unit-noise", filled: { kind: "unit-noise", sigma: 1e-5, noise_dtype: "float32" } },
])("init.kind $kind fills in its own fields", ({ kind, filled }) => {
  expect(runConfigSchema.parse({ init: { kind } }).init).toEqual(filled);
});

test.each(["auto", "cpu", "cuda", "mps", "cuda:0", "cuda:12"])("device %s is accepted", (device) => {
  expect(runConfigSchema.safeParse({ device }).success).toBe(true);
});

test.each(["gpu", "cuda:", "cuda:-1", "cuda:1.5", "CPU", ""])("device %j is refused", (device) => {
  expect(runConfigSchema.safeParse({ device }).success).toBe(false);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, "1", null])("a learning rate of %s is refused", (learning_rate) => {
  expect(runConfigSchema.safeParse({ training: { learning_rate } }).success).toBe(false);
});

test.each([
  [["model.n_head=3"], "model.n_head: 3 does not fit model.n_embd: 64 is not divisible by model.n_head = 3: all heads have the same width"],
  [["model.n_head=3", "model.n_embd=64"], "model.n_embd: 64 is not divisible by model.n_head = 3: all heads have the same width"],
])("of the values in a broken rule the one that was set is blamed: %s", async (set, message) => {
  expect(await problems(...set)).toEqual([message]);
});

test("the source is that of the value that is blamed", async () => {
  await expect(resolveRunConfig({ set: ["model.n_head=3"] })).rejects.toMatchObject({ issues: [{ path: "model.n_head", source: "--set" }] });
  await expect(resolveRunConfig({ input: { model: { n_head: 3 } } })).rejects.toMatchObject({ issues: [{ path: "model.n_head", source: "input" }] });
});

test("a rule is checked beside wrong fields, but not with them", async () => {
  expect(await problems("model.n_embd=63", "training.learning_rate=fast")).toHaveLength(2);
  expect(await problems("model.n_embd=63", "model.n_head=two")).toEqual(['model.n_head: "two" is not accepted: expected an integer of at least 1']);
});

test("what is wrong in several sections is told at once", async () => {
  const said = await problems("record.rows=[1,1]", "data.window_length=129", "processes=6", "model.n_embd=63", "training.fp16=true", "stack=2");
  expect(said.map((line) => line.split(": ")[0])).toEqual([
    "engine.batched_runs",
    "data.window_length",
    "model.n_embd",
    "record.rows",
    "training.fp16",
    "engine.processes",
  ]);
});
