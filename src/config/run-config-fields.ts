import { z } from "zod";
import { dataSchema } from "./data-schema.js";
import { engineSchema } from "./engine-schema.js";
import { initSchema } from "./init-schema.js";
import { isPlainObject } from "./json-value.js";
import { familyOf, type ModelConfig, modelSchema } from "./models/families.js";
import { codeInWords } from "./own-code.js";
import { checkpointSchema, recordSchema } from "./record-schema.js";
import { trainingSchema } from "./training-schema.js";

/** A seed of random numbers. */
export const seedSchema = z.int().min(0).max(0xffff_ffff);
const stream = (what: string) => seedSchema.nullable().default(null).describe(`Seed of ${what}; null uses \`seed\`.`);

/** Separate seeds of the random streams, to vary the start under one data order or the data order under one start. */
const seedsSchema = z.strictObject({
  weights: stream("the weights that the model draws"),
  init: stream("the initial state of the embedding"),
  data: stream("the order of the training windows"),
  noise: stream("dropout and noise during training"),
});

const noiseSchema = z.strictObject({
  epsilon: z
    .number()
    .min(0)
    .default(0)
    .describe("Normal noise of standard deviation epsilon / 10, in the model's dtype, added to the embedding after each optimizer step; 0 adds none."),
  last_step: z.int().min(1).nullable().default(null).describe("Last step after which noise is added; null adds it after every step."),
});

/** Experiment trackers that a run can log to. */
export const trackers = ["tensorboard", "wandb", "mlflow", "trackio"] as const;
const trackersSchema = z.array(z.enum(trackers));

const trackSchema = z
  .union([z.enum(trackers), trackersSchema])
  .transform((given) => [...new Set([given].flat())])
  .pipe(trackersSchema)
  .default([])
  .describe(
    "Trackers that receive the logs of the training, offline in `trackers` of the run's directory: `tensorboard`, `wandb`, `mlflow`, `trackio`. Not part of the hash.",
  );

/** The fields of a configuration, each checked alone. */
export const runConfigFields = z.strictObject({
  name: z.string().min(1).max(200).optional().describe("Display name of the run. Not part of the hash."),
  seed: seedSchema.default(42).describe("Seed of all random streams: weights, initial state, data order, noise. `seeds` sets them separately."),
  device: z
    .union([z.enum(["auto", "cpu", "cuda", "mps"]), z.templateLiteral(["cuda:", z.int()]).refine((device) => !device.includes("-"))])
    .default("auto")
    .describe("Device: `auto` uses CUDA if available, else MPS, else the CPU; `cuda:1` names one GPU. Devices differ in bits."),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe("CPU threads of PyTorch; null lets PyTorch choose. The number changes bits and is recorded."),
  engine: engineSchema.prefault({}),
  python: z.string().min(1).optional().describe("Path of the Python interpreter (default: found automatically). Not part of the hash."),
  seeds: seedsSchema.prefault({}).describe("Separate seeds of the random streams; null uses `seed`."),
  data: dataSchema.prefault({}).describe("The training text."),
  model: modelSchema.prefault({}).describe("The model, by `type`: the fields of its configuration in transformers, and how it is built."),
  init: initSchema.default({ kind: "singular" }),
  noise: noiseSchema.prefault({}).describe("Noise on the embedding during training."),
  training: trainingSchema.prefault({}).describe("The TrainingArguments of transformers, under their own names."),
  record: recordSchema.prefault({}).describe("What to record during training."),
  checkpoint: checkpointSchema.prefault({}).describe("Checkpoints, from which a run can be resumed."),
  track: trackSchema,
});

/** A complete configuration. JSON-serialisable. */
export type RunConfig = z.output<typeof runConfigFields>;

/** Names of a size in the configurations of the families. */
const namesOf = {
  width: ["hidden_size", "n_embd", "d_model", "dim"],
  layers: ["num_hidden_layers", "n_layer", "n_layers", "num_layers"],
  positions: ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"],
} as const;

/** A size of a model; undefined if the configuration omits it or has another name for it. */
export function modelSize(model: Readonly<Record<string, unknown>>, size: keyof typeof namesOf): number | undefined {
  const fields = model["type"] === "python" && isPlainObject(model["fields"]) ? model["fields"] : model;
  const found = namesOf[size].map((name) => fields[name]).find((value) => value !== undefined);
  return typeof found === "number" ? found : undefined;
}

/** Tokens in a training window. */
export function windowLength({ data, model }: Pick<RunConfig, "data" | "model">): number {
  return data.window_length ?? modelSize(model, "positions") ?? 0; // a rule between fields rejects 0
}

/** The name of a model: `GPT-2 with RMSNorm`, `Net of net.py (SHA-256 1f2e3d4c…)`. */
export function modelInWords(model: ModelConfig): string {
  const norms = { rmsnorm: " with RMSNorm", layernorm: " with LayerNorm", native: "" };
  if (model.type === "python") return `${model.class} of ${codeInWords(model.code)}`;
  return `${familyOf(model)?.title ?? model.type}${norms[model.norm]}`;
}

/** Seeds of the random numbers drawn before training. */
export function modelSeeds({ seed, seeds }: Pick<RunConfig, "seed" | "seeds">): { weights: number; init: number } {
  return { weights: seeds.weights ?? seed, init: seeds.init ?? seed };
}

/** Seeds of the random numbers drawn during training. */
export function trainingSeeds({ seed, seeds, training }: Pick<RunConfig, "seed" | "seeds" | "training">): { data: number; noise: number } {
  return { data: seeds.data ?? training.data_seed ?? seed, noise: seeds.noise ?? seed };
}

/** The device of a configuration; engine `portable` computes on the CPU. */
export function deviceOf({ device, engine }: Pick<RunConfig, "device" | "engine">): RunConfig["device"] {
  return engine.name === "portable" ? "cpu" : device;
}

/** `cpu`, `cuda` or `mps`, from the device of a configuration (`cuda:1`) or of a run (`cuda: NVIDIA H100`). */
export function deviceKind(device: string): string {
  return device.split(":")[0] ?? device;
}
