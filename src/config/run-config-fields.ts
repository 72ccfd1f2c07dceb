import { z } from "zod";
import { dataSchema } from "./data-schema.js";
import { engineSchema } from "./engine-schema.js";
import { initSchema } from "./init-schema.js";
import { familyOf, type ModelConfig, modelSchema } from "./models/families.js";
import { checkpointSchema, recordSchema } from "./record-schema.js";
import { trainingSchema } from "./training-schema.js";

const stream = (what: string) =>
  z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .nullable()
    .default(null)
    .describe(`${what}: as in a run whose seed is this one. null follows \`seed\`.`);

/** The random streams of a run apart: one start under several data orders, one data order under several starts. */
const seedsSchema = z.strictObject({
  weights: stream("All weights that the model itself draws"),
  init: stream("The initial state of the embedding"),
  data: stream("The order of the windows"),
  noise: stream("What is drawn during the steps, dropout and noise"),
});

/** `randn · (epsilon / 10)`, in the model's dtype, is added to the embedding after each optimizer step, before the state is recorded. */
const noiseSchema = z.strictObject({
  epsilon: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "After each optimizer step, add normal noise of standard deviation epsilon / 10, drawn and scaled in the model's dtype, to the embedding; 0 adds none.",
    ),
});

/** The fields, each checked by itself. */
export const runConfigFields = z.strictObject({
  name: z.string().min(1).max(200).optional().describe("Display name of the run. Not part of the hash."),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(42)
    .describe("Seed of every random stream: weights, initial state, data order, noise; `seeds` takes them apart."),
  device: z
    .union([z.enum(["auto", "cpu", "cuda", "mps"]), z.templateLiteral(["cuda:", z.int()]).refine((device) => !device.includes("-"))])
    .default("auto")
    .describe("Where to train: `auto` takes CUDA, else MPS, else the CPU; `cuda:1` names one GPU. The devices differ in bits."),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe("CPU threads of PyTorch; null leaves the choice to PyTorch. The number changes bits and is recorded."),
  engine: engineSchema.prefault({}),
  python: z.string().min(1).optional().describe("Path of the Python interpreter; found by itself when left out. Not part of the hash."),
  seeds: seedsSchema.prefault({}).describe("Seeds of the random streams one by one; each that is null follows `seed`."),
  data: dataSchema.prefault({}).describe("The text that is trained on."),
  model: modelSchema.prefault({}).describe("The model, by `type`: the names of its configuration in transformers, and how it is built."),
  init: initSchema.default({ kind: "singular" }),
  noise: noiseSchema.prefault({}).describe("Noise on the embedding during training."),
  training: trainingSchema.prefault({}).describe("HF's TrainingArguments, under their own names."),
  record: recordSchema.prefault({}).describe("What is kept of every step."),
  checkpoint: checkpointSchema.prefault({}).describe("States that a run can be resumed from."),
});

/** A complete configuration: every field has its value. JSON-serialisable. */
export type RunConfig = z.output<typeof runConfigFields>;

/** The names of one size in the configurations of families, the most usual first. */
const namesOf = {
  width: ["hidden_size", "n_embd", "d_model", "dim"],
  layers: ["num_hidden_layers", "n_layer", "n_layers", "num_layers"],
  positions: ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"],
} as const;

/** A size of a model by what it is; undefined where the configuration leaves it to transformers' default, or calls it otherwise. */
export function modelSize(model: ModelConfig, size: keyof typeof namesOf): number | undefined {
  const fields: Readonly<Record<string, unknown>> = model;
  const found = namesOf[size].map((name) => fields[name]).find((value) => value !== undefined);
  return typeof found === "number" ? found : undefined;
}

/** Tokens of a training window: `data.window_length`, else as many as the model has positions. */
export function windowLength({ data, model }: Pick<RunConfig, "data" | "model">): number {
  return data.window_length ?? modelSize(model, "positions") ?? 0; // 0 is refused by a rule between fields
}

/** A model in words: `GPT-2 with RMSNorm`. */
export function modelInWords(model: ModelConfig): string {
  const norms = { rmsnorm: " with RMSNorm", layernorm: " with LayerNorm", native: "" };
  return `${familyOf(model)?.title ?? model.type}${norms[model.norm]}`;
}

/** The seeds of what is drawn before a training. */
export function modelSeeds({ seed, seeds }: Pick<RunConfig, "seed" | "seeds">): { weights: number; init: number } {
  return { weights: seeds.weights ?? seed, init: seeds.init ?? seed };
}

/** The seeds of what is drawn during a training. */
export function trainingSeeds({ seed, seeds, training }: Pick<RunConfig, "seed" | "seeds" | "training">): { data: number; noise: number } {
  return { data: seeds.data ?? training.data_seed ?? seed, noise: seeds.noise ?? seed };
}

/** `cpu`, `cuda` or `mps`: the kind of a device as a configuration names it (`cuda:1`), or as a run recorded it (`cuda: NVIDIA H100`). */
export function deviceKind(device: string): string {
  return device.split(":")[0] ?? device;
}
