import { z } from "zod";
import type { gpt2ConfigShape } from "./models/model-configs.generated.js";
import { ownFunctionShape } from "./own-code.js";
import { trainingArgumentsShape } from "./training-arguments.generated.js";

const logging = "the first process writes the log of all";
const processes = "bh-bridge synchronizes the processes itself: set `engine.processes` (`--nproc` and `--nnodes` on the command line)";
const checkpoints = "checkpoints are written by bh-bridge: set `checkpoint.every` and `checkpoint.keep`";
const nothingLeaves = "bh-bridge uploads nothing: use `bh-bridge export` on the finished run";
const windows = "all windows of the corpus have the same fields and length";
const resume = "resume a run with `bh-bridge resume`";
const steps = "the length of a run is set in steps: set `training.max_steps`";

/** Fields of TrainingArguments that a configuration cannot set, with the reason and the alternative. */
export const productOwnedTrainingArguments = {
  output_dir: "every run has its own directory: set `out`, the folder of runs (`--out` on the command line)",
  num_train_epochs: steps,
  seed: "one seed serves all random streams: set `seed`",
  use_cpu: "set `device`",
  disable_tqdm: "bh-bridge shows its own progress, which `--quiet` hides on the command line",
  logging_nan_inf_filter: "non-finite losses are always reported",
  log_level_replica: logging,
  log_on_each_node: logging,
  report_to: "set `track`",
  run_name: "set `name`",
  project: nothingLeaves,
  trackio_space_id: nothingLeaves,
  trackio_bucket_id: nothingLeaves,
  trackio_static_space_id: nothingLeaves,
  push_to_hub: nothingLeaves,
  hub_token: nothingLeaves,
  hub_private_repo: nothingLeaves,
  hub_model_id: nothingLeaves,
  hub_strategy: nothingLeaves,
  hub_always_push: nothingLeaves,
  hub_revision: nothingLeaves,
  save_only_model: checkpoints,
  save_strategy: checkpoints,
  save_steps: checkpoints,
  save_on_each_node: checkpoints,
  save_total_limit: checkpoints,
  enable_jit_checkpoint: checkpoints,
  load_best_model_at_end: "the result of a run is its last state",
  resume_from_checkpoint: resume,
  ignore_data_skip: resume,
  restore_callback_states_from_checkpoint: resume,
  gradient_checkpointing: "old name of `training.activation_checkpointing`",
  gradient_checkpointing_kwargs: "old name of `training.activation_checkpointing_kwargs`",
  use_cache: "training does not use the cache of keys and values",
  auto_find_batch_size: "the batch size is part of the configuration: set `training.per_device_train_batch_size`",
  average_tokens_across_devices: processes,
  eval_use_gather_object: processes,
  remove_unused_columns: windows,
  label_names: windows,
  length_column_name: windows,
  accelerator_config: processes,
  parallelism_config: processes,
  ddp_find_unused_parameters: processes,
  ddp_bucket_cap_mb: processes,
  ddp_broadcast_buffers: processes,
  ddp_static_graph: processes,
  ddp_backend: processes,
  ddp_timeout: processes,
  fsdp: processes,
  fsdp_config: processes,
  deepspeed: processes,
  local_rank: processes,
  do_train: "a run always trains",
  do_eval: "set `training.eval_strategy`",
  do_predict: "use the finished model from the TypeScript API",
} as const satisfies Partial<Record<keyof typeof trainingArgumentsShape, string>>;

const noSummary = "only the classification and double-head models of GPT-2 use it";
const noLabels = "the model predicts tokens";
const byteTokens = "no token is special";

/** Fields of all models' configurations that a run cannot set, with the reason. */
export const productOwnedModelConfig = {
  transformers_version: "it is set when the model is saved",
  architectures: "it is set when the model is saved",
  output_hidden_states: "training uses only the loss",
  return_dict: "training uses only the loss",
  chunk_size_feed_forward: "a causal model does not use it",
  is_encoder_decoder: "a causal model is a decoder",
  id2label: noLabels,
  label2id: noLabels,
  problem_type: noLabels,
  use_cache: "training does not use the cache of keys and values",
} as const satisfies Partial<Record<keyof typeof gpt2ConfigShape, string>>;

/** Fields of GPT2Config that a run cannot set, with the reason. */
export const productOwnedGpt2Config = {
  ...productOwnedModelConfig,
  bos_token_id: byteTokens,
  eos_token_id: byteTokens,
  pad_token_id: byteTokens,
  add_cross_attention: "GPT-2 is trained as a decoder",
  summary_type: noSummary,
  summary_use_proj: noSummary,
  summary_activation: noSummary,
  summary_proj_to_labels: noSummary,
  summary_first_dropout: noSummary,
} as const satisfies Partial<Record<keyof typeof gpt2ConfigShape, string>>;

/** Fields of `training` that are not passed to `TrainingArguments(**training)`. */
export const ownTrainingFields = ["decay_norms", "optimizer_state_dtype", "compute_loss_func"] as const;

type ProductOwned = keyof typeof productOwnedTrainingArguments;
const productOwned = Object.fromEntries(Object.keys(productOwnedTrainingArguments).map((field) => [field, true])) as Record<ProductOwned, true>;

/** Fields that shape the result, with the notebook's values as defaults. */
const explicitShape = {
  max_steps: z.int().min(1).default(10_000).describe("Number of optimizer steps. The history also has the initial state."),
  per_device_train_batch_size: z.int().min(1).default(32).describe("Training windows per batch."),
  gradient_accumulation_steps: z.int().min(1).default(1).describe("Batches whose gradients are averaged in one optimizer step."),
  train_sampling_strategy: z
    .enum(["random", "sequential"])
    .default("random")
    .describe("Order of the training windows: shuffled by the seed, or as in the text."),
  learning_rate: z.number().min(0).default(1e-3).describe("Peak learning rate."),
  lr_scheduler_type: trainingArgumentsShape.lr_scheduler_type
    .unwrap()
    .default("linear")
    .describe("Learning rate schedule; `linear` decays to 0 at the last step."),
  warmup_steps: z.number().min(0).default(0).describe("Steps during which the learning rate rises from 0; below 1, a fraction of max_steps."),
  weight_decay: z.number().min(0).default(0.01).describe("Decoupled weight decay of AdamW, for the parameters that decay_norms selects."),
  decay_norms: z
    .enum(["hf", "never", "always", "all"])
    .default("hf")
    .describe(
      "Weight decay of norm weights: `hf` exempts LayerNorm but not RMSNorm, which confounds a comparison; `never` and `always` treat both alike. `all` decays every parameter, biases too, in one group, as PyTorch's optimizers do by default.",
    ),
  max_grad_norm: z.number().min(0).default(1).describe("Maximum norm of the gradient; 0 disables clipping."),
  optim: trainingArgumentsShape.optim.unwrap().default("adamw_torch_fused").describe("Optimizer, by its name in transformers; some require another package."),
  adam_beta1: z.number().min(0).lt(1).default(0.9).describe("Decay rate of Adam's first moment."),
  adam_beta2: z.number().min(0).lt(1).default(0.999).describe("Decay rate of Adam's second moment."),
  adam_epsilon: z.number().min(0).default(1e-8).describe("Term added to the square root of Adam's second moment."),
  optimizer_state_dtype: z
    .enum(["model", "float32"])
    .default("model")
    .describe("Dtype of Adam's moments: `model` uses the dtype of the weights; in bfloat16 the second moment can then only grow."),
  bf16: z.boolean().default(true).describe("Compute under bfloat16 autocast."),
  logging_steps: z.number().positive().default(100).describe("Steps between entries of the loss table; below 1, a fraction of max_steps."),
  dataloader_num_workers: z.int().min(0).default(0).describe("Processes that load data; 0 loads it in the training process."),
  compute_loss_func: z
    .strictObject(ownFunctionShape)
    .optional()
    .describe("A loss of your own, as compute_loss_func of Trainer: a function of (outputs, labels, num_items_in_batch). It shifts the labels itself."),
};

// Spread twice: first for the order of the fields, last to override the generated ones.
/** The fields of `TrainingArguments` that a run can set, and two fields of bh-bridge. */
export const trainingSchema = z.strictObject({ ...explicitShape, ...trainingArgumentsShape, ...explicitShape }).omit(productOwned);

export type { TrainingArguments } from "./run-config-input.generated.js";
