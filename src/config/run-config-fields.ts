import { z } from "zod";
import { dataSchema } from "./data-schema.js";
import { engineSchema } from "./engine-schema.js";
import { initSchema } from "./init-schema.js";
import { modelSchema } from "./models/families.js";
import { checkpointSchema, recordSchema } from "./record-schema.js";
import { seedsSchema } from "./seeds-schema.js";
import { trainingSchema } from "./training-schema.js";

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
