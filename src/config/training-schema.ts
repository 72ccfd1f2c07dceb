import { z } from "zod";
import type { gpt2ConfigShape } from "./models/model-configs.generated.js";
import { trainingArgumentsShape } from "./training-arguments.generated.js";

const logging = "the first process of a training writes the log of all";
const processes = "bh-bridge synchronizes the processes of a training itself: set `engine.processes` (`--nproc` and `--nnodes` on the command line)";
const checkpoints = "checkpoints are written by bh-bridge: set `checkpoint.every` and `checkpoint.keep`";
const nothingLeaves = "nothing is sent anywhere: use `bh-bridge export` on the finished run";
const windows = "batches are made from the corpus, and every window has the same fields and length";
const resume = "a run is continued exactly with `bh-bridge resume`";
const steps = "a run is counted in steps: set `training.max_steps`";

/** Fields of TrainingArguments that a configuration cannot set, each with the reason and what to do instead. */
export const productOwnedTrainingArguments = {
  output_dir: "every run has a directory of its own: `out` names the folder that holds it (`--out` on the command line)",
  num_train_epochs: steps,
  seed: "one seed serves every random stream: set `seed`",
  use_cpu: "the device is chosen in one place: set `device`",
  disable_tqdm: "bh-bridge shows its own progress, which `--quiet` leaves out on the command line",
  logging_nan_inf_filter: "a loss that is not a number is told as it is, never left out of a mean",
  log_level_replica: logging,
  log_on_each_node: logging,
  report_to: nothingLeaves,
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
  load_best_model_at_end: "the result of a run is its last state, not its best",
  resume_from_checkpoint: resume,
  ignore_data_skip: resume,
  restore_callback_states_from_checkpoint: resume,
  gradient_checkpointing: "it is the old name of `training.activation_checkpointing`",
  gradient_checkpointing_kwargs: "it is the old name of `training.activation_checkpointing_kwargs`",
  use_cache: "training never reads the cache of keys and values",
  auto_find_batch_size: "a run takes the batch that its configuration names: set `training.per_device_train_batch_size`",
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
  do_train: "a run trains",
  do_eval: "evaluation is switched on by `training.eval_strategy`",
  do_predict: "a run trains; the finished model can be used from the TypeScript API",
} as const satisfies Partial<Record<keyof typeof trainingArgumentsShape, string>>;

const noSummary = "only GPT-2's classification and double-head models read it";
const noLabels = "the model predicts tokens, not classes";
const byteTokens = "tokens are parts of the corpus; none of them is special";

/** Fields of every model's configuration that a run cannot set, each with the reason. */
export const productOwnedModelConfig = {
  transformers_version: "it is filled in when the model is saved",
  architectures: "it is filled in when the model is saved",
  output_hidden_states: "training reads the loss alone",
  return_dict: "training reads the loss alone",
  chunk_size_feed_forward: "a causal model does not read it",
  is_encoder_decoder: "a causal model is a decoder",
  id2label: noLabels,
  label2id: noLabels,
  problem_type: noLabels,
  use_cache: "training never reads the cache of keys and values",
  bos_token_id: byteTokens,
  eos_token_id: byteTokens,
  pad_token_id: byteTokens,
} as const satisfies Partial<Record<keyof typeof gpt2ConfigShape, string>>;

/** Fields of GPT2Config that a configuration cannot set, each with the reason. */
export const productOwnedGpt2Config = {
  ...productOwnedModelConfig,
  add_cross_attention: "GPT-2 is trained as a decoder alone",
  summary_type: noSummary,
  summary_use_proj: noSummary,
  summary_activation: noSummary,
  summary_proj_to_labels: noSummary,
  summary_first_dropout: noSummary,
} as const satisfies Partial<Record<keyof typeof gpt2ConfigShape, string>>;

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
