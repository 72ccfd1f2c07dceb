import { z } from "zod";
import { productOwnedTrainingArguments } from "./product-owned-arguments.js";
import { trainingArgumentsShape } from "./training-arguments.generated.js";

/** Keys of `training` that are the product's own: everything else is passed to `TrainingArguments(**training)`. */
export const ownTrainingFields = ["decay_norms", "optimizer_state_dtype"] as const;

type ProductOwned = keyof typeof productOwnedTrainingArguments;
const productOwned = Object.fromEntries(Object.keys(productOwnedTrainingArguments).map((field) => [field, true])) as Record<ProductOwned, true>;

/** What silently shapes the result, spelt out with the seed's values. */
const explicitShape = {
  max_steps: z.int().min(1).default(10_000).describe("Optimizer steps to take. The history has one state more: the initial one."),
  per_device_train_batch_size: z.int().min(1).default(32).describe("Windows in a batch."),
  gradient_accumulation_steps: z.int().min(1).default(1).describe("Batches whose gradients are averaged for one optimizer step."),
  train_sampling_strategy: z.enum(["random", "sequential"]).default("random").describe("Order of the windows: shuffled from the seed, or as in the text."),
  learning_rate: z.number().min(0).default(1e-3).describe("Peak learning rate."),
  lr_scheduler_type: trainingArgumentsShape.lr_scheduler_type
    .unwrap()
    .default("linear")
    .describe("How the learning rate changes; `linear` falls to 0 at the last step, `constant` stays."),
  warmup_steps: z.number().min(0).default(0).describe("Steps of rising learning rate at the start; below 1, a fraction of max_steps."),
  weight_decay: z.number().min(0).default(0.01).describe("Decoupled weight decay of AdamW, for the parameters that decay_norms leaves in."),
  decay_norms: z
    .enum(["hf", "never", "always", "all"])
    .default("hf")
    .describe(
      "Weight decay of the norms' weights: `hf` exempts LayerNorm but not RMSNorm, which confounds a comparison; `never`, `always` treat both alike. `all` decays every parameter, biases too, in one group, as an optimizer of torch's does by itself.",
    ),
  max_grad_norm: z.number().min(0).default(1).describe("Gradients are scaled down to this norm; 0 does not clip."),
  optim: trainingArgumentsShape.optim.unwrap().default("adamw_torch_fused").describe("Optimizer, by HF's name; some need a package of their own."),
  adam_beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of Adam's first moment."),
  adam_beta2: z.number().min(0).lt(1).default(0.999).describe("Decay of Adam's second moment."),
  adam_epsilon: z.number().min(0).default(1e-8).describe("Added to the root of Adam's second moment."),
  optimizer_state_dtype: z
    .enum(["model", "float32"])
    .default("model")
    .describe("Dtype of Adam's moments: `model` keeps that of the weights (in bfloat16 the second moment can only grow), `float32` does not."),
  bf16: z.boolean().default(true).describe("Run forward and backward under bfloat16 autocast."),
  logging_steps: z.number().positive().default(100).describe("Steps between two entries of the loss table; below 1, a fraction of max_steps."),
  dataloader_num_workers: z.int().min(0).default(0).describe("Processes that load data; 0 loads in the training process."),
};

// Spread twice: first for the order in which people read the fields, last so that its values win.
/** The whole of HF's `TrainingArguments` under their own names, but for those that the product owns, and two fields of our own. */
export const trainingSchema = z.strictObject({ ...explicitShape, ...trainingArgumentsShape, ...explicitShape }).omit(productOwned);

export type { TrainingArguments } from "./run-config-input.generated.js";
