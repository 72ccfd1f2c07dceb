import { z } from "zod";
import { dataSchema } from "./data-schema.js";
import { engines, enginesInWords } from "./engines.js";
import { initSchema } from "./init-schema.js";
import { modelSchema } from "./model-schema.js";
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
  processes: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .describe(
      "Processes that share each batch (`training.per_device_train_batch_size` is that of all of them together): on the CPU, or one GPU each. The number changes bits and is recorded.",
    ),
  engine: z.enum(engines).default(engines[0]).describe(enginesInWords),
  exact_step: z
    .enum(["auto", "off"])
    .default("auto")
    .describe(
      "A faster way to the same bits, for bfloat16 on the CPU: `auto` computes the first batches both ways, and uses it where all bits are equal and it is faster. Not part of the hash.",
    ),
  compiled_step: z
    .enum(["auto", "on", "off"])
    .default("auto")
    .describe(
      "Engine `fast` on the CPU: compile the step with the C++ compiler that is there. `auto` does so for runs that are long enough to pay for it. It changes bits, and a run keeps the way that it began with.",
    ),
  graphed_step: z
    .enum(["auto", "off"])
    .default("auto")
    .describe(
      "On CUDA: replay the whole step from one CUDA graph. `auto` makes the first steps both ways, and uses the graph where all bits are equal and it is faster. Not part of the hash.",
    ),
  stack: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      "Engine `fast`: compute so many runs of a sweep or an experiment in one process, each product of all of them at once; they may differ in seeds, initial state and `training.learning_rate`. It is for GPUs: on a CPU it does not pay. Uncompiled. On a GPU the number changes bits.",
    ),
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
