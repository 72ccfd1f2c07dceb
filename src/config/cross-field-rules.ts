import { expressionOf, matchingTokens, mostByteTokens } from "./matching-tokens.js";
import { modelSize } from "./models/model-sizes.js";
import { tensorsOfForwardPass } from "./record-schema.js";
import type { RunConfig } from "./run-config-fields.js";

/** A rule that several fields have to meet together. */
interface CrossFieldRule {
  /** The field that the message is shown at. */
  path: string;
  /** Further fields that the rule reads: it is not checked where one of them is itself wrong. */
  reads: readonly string[];
  /** What is wrong and how to mend it; undefined when all is well. */
  problem(config: RunConfig): string | undefined;
}

const schedulersThatEvaluate: readonly string[] = ["reduce_lr_on_plateau", "greedy"];
/** What `training.lr_scheduler_kwargs` has to name for a schedule: one of these. */
const neededByScheduler: Readonly<Record<string, { names: readonly string[]; example: string }>> = {
  cosine_with_min_lr: { names: ["min_lr", "min_lr_rate"], example: '{"min_lr":1e-5}' },
  cosine_warmup_with_min_lr: { names: ["min_lr", "min_lr_rate"], example: '{"min_lr":1e-5}' },
  warmup_stable_decay: { names: ["num_decay_steps"], example: '{"num_decay_steps":100}' },
};

/** The names in `training.lr_scheduler_kwargs`, which HF also takes as JSON text. */
function schedulerArguments(given: unknown): string[] {
  if (typeof given !== "string") return Object.keys(given ?? {});
  try {
    return Object.keys(JSON.parse(given));
  } catch {
    return []; // not JSON: HF refuses it, and nothing is named by it
  }
}

const ownStateOptimizers: readonly string[] = ["adamw_torch", "adamw_torch_fused"];

/** Whether Python can go on to build heads of a Llama or Qwen3. */
function groupsProblem(model: RunConfig["model"]): string | undefined {
  if (model.type !== "llama" && model.type !== "qwen3") return undefined;
  const { num_attention_heads: heads, num_key_value_heads: groups } = model;
  return heads % groups === 0
    ? undefined
    : `${groups} does not divide model.num_attention_heads = ${heads}: as many queries share each head of keys and values`;
}

const modelRules: CrossFieldRule[] = [
  {
    path: "data.corpus",
    reads: [],
    problem: ({ data: { corpus } }) => {
      const paths = Array.isArray(corpus) ? corpus.map(({ path }) => path) : [];
      const twice = paths.find((path, place) => paths.indexOf(path) < place);
      return twice === undefined ? undefined : `names ${twice} twice: name it once, with the sum of the weights`;
    },
  },
  {
    path: "model.head_dim",
    reads: [],
    problem: ({ model }) =>
      (model.type === "llama" || model.type === "qwen3") && model.head_dim % 2 === 1
        ? `is ${model.head_dim}, and positions are rotations of pairs: set an even width`
        : undefined,
  },
  {
    path: "model.num_key_value_heads",
    reads: ["model.num_attention_heads"],
    problem: ({ model }) => groupsProblem(model),
  },
  {
    path: "data.window_length",
    reads: ["model.max_position_embeddings", "model.n_positions"],
    problem: (config) => {
      const positions = modelSize(config.model, "positions");
      const length = config.data.window_length;
      if (length === null)
        return positions === undefined ? "is missing: the model's configuration tells no number of positions. Set it, for example to 128" : undefined;
      return positions !== undefined && length > positions
        ? `${length} tokens are more than the model's ${positions} positions: set it to at most ${positions}`
        : undefined;
    },
  },
  {
    path: "seeds.data",
    reads: ["training.data_seed"],
    problem: ({ seeds, training }) =>
      seeds.data !== null && typeof training.data_seed === "number" && training.data_seed !== seeds.data
        ? `is ${seeds.data}, and training.data_seed, which means the same, is ${training.data_seed}: leave the latter out`
        : undefined,
  },
  {
    path: "model.n_embd",
    reads: ["model.n_head"],
    problem: ({ model }) =>
      (model.type !== "gpt2" && model.type !== "tinylm") || model.n_embd % model.n_head === 0
        ? undefined
        : `${model.n_embd} is not divisible by model.n_head = ${model.n_head}: each head takes an equal share`,
  },
];

const optimizersWithoutMoments: readonly string[] = ["sgd", "adagrad", "rmsprop", "adafactor"];

/** What is wrong with a pattern of rows. */
function patternProblem(pattern: string, vocabulary: number, tokenizer: string | null): string | undefined {
  if (vocabulary > mostByteTokens && tokenizer === null) {
    return `a pattern is of characters, and nothing tells how the ${vocabulary} tokens are written: list their ids, or name a data.tokenizer`;
  }
  try {
    if (tokenizer !== null) return expressionOf(pattern) && undefined; // what it matches is seen when the tokenizer is read
    return matchingTokens(pattern, vocabulary).length > 0 ? undefined : `${pattern} matches no token`;
  } catch (error) {
    return `${pattern} is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const recordRules: CrossFieldRule[] = [
  {
    path: "record.tensors",
    reads: [],
    problem: ({ record }) => (record.tensors.includes("wte") ? undefined : 'must contain "wte": the census and the verdict are computed from it'),
  },
  {
    path: "record.tensors",
    reads: [],
    problem: ({ record }) => (new Set(record.tensors).size === record.tensors.length ? undefined : "names a tensor twice"),
  },
  {
    path: "record.tensors",
    reads: ["training.optim"],
    problem: ({ record, training }) =>
      record.tensors.some((tensor) => /\.exp_avg(_sq)?$/.test(tensor)) && optimizersWithoutMoments.includes(training.optim)
        ? `training.optim = ${training.optim} has no moments of Adam: name what it keeps, or use ${ownStateOptimizers.join(" or ")}`
        : undefined,
  },
  {
    path: "record.tensors",
    reads: ["model.dtype"],
    problem: ({ record, model }) =>
      record.tensors.some((tensor) => tensor.endsWith(".master")) && model.dtype !== "float32-master"
        ? `a master copy of the weights exists with model.dtype = "float32-master" only, and it is "${model.dtype}"`
        : undefined,
  },
  {
    path: "record.tensors",
    reads: ["engine"],
    problem: ({ record, engine, processes }) => {
      const unseen = record.tensors.filter((tensor) => tensorsOfForwardPass.includes(tensor));
      if (processes > 1 && unseen.length > 0)
        return `each of ${processes} processes sees its part of ${unseen.join(", ")} alone: use processes=1, or leave it out`;
      return engine === "fast" && unseen.length > 0 ? `engine fast does not compute ${unseen.join(", ")}: use engine=trainer, or leave it out` : undefined;
    },
  },
  {
    path: "record.schedules",
    reads: ["record.tensors"],
    problem: ({ record }) => {
      const unknown = Object.keys(record.schedules ?? {}).filter((tensor) => !record.tensors.some((name) => name === tensor));
      return unknown.length > 0 ? `${unknown.join(", ")} is not recorded: name it in record.tensors too` : undefined;
    },
  },
  {
    path: "record.rows",
    reads: ["model.vocab_size", "data.tokenizer", "data.train_tokenizer"],
    problem: ({ record, model, data }) =>
      typeof record.rows === "string" && record.rows.startsWith("/")
        ? patternProblem(record.rows, model.vocab_size, data.tokenizer ?? data.train_tokenizer)
        : undefined,
  },
  {
    path: "record.rows",
    reads: ["model.vocab_size"],
    problem: ({ record, model }) => {
      if (!Array.isArray(record.rows)) return undefined;
      const outside = record.rows.filter((row) => row >= model.vocab_size);
      return outside.length === 0
        ? undefined
        : `rows go from 0 to ${model.vocab_size - 1} (model.vocab_size is ${model.vocab_size}), and ${outside.join(", ")} lie beyond`;
    },
  },
  {
    path: "record.rows",
    reads: [],
    problem: ({ record }) => (Array.isArray(record.rows) && new Set(record.rows).size !== record.rows.length ? "names a row twice" : undefined),
  },
];

const trainingRules: CrossFieldRule[] = [
  {
    path: "training.fp16",
    reads: ["training.bf16"],
    problem: ({ training }) => (training.fp16 && training.bf16 ? "excludes training.bf16, which is true: set one of the two to false" : undefined),
  },
  {
    path: "training.logging_steps",
    reads: [],
    problem: ({ training }) =>
      training.logging_steps > 1 && !Number.isInteger(training.logging_steps) ? "must be a whole number when it is above 1" : undefined,
  },
  {
    path: "training.optimizer_state_dtype",
    reads: ["training.optim"],
    problem: ({ training }) =>
      training.optimizer_state_dtype === "float32" && !ownStateOptimizers.includes(training.optim)
        ? `"float32" needs training.optim = ${ownStateOptimizers.join(" or ")}, and it is ${training.optim}`
        : undefined,
  },
  {
    path: "model.dtype",
    reads: ["training.optim"],
    problem: ({ model, training }) =>
      model.dtype === "float32-master" && !ownStateOptimizers.includes(training.optim)
        ? `"float32-master" needs training.optim = ${ownStateOptimizers.join(" or ")}, and it is ${training.optim}`
        : undefined,
  },
  {
    path: "noise.epsilon",
    reads: ["model.dtype"],
    problem: ({ noise, model }) =>
      noise.epsilon > 0 && model.dtype === "float32-master"
        ? 'is lost with model.dtype = "float32-master", whose next step rounds the weights from its own copy: use "bfloat16" or "float32"'
        : undefined,
  },
  {
    path: "training.eval_strategy",
    reads: ["data.held_out"],
    problem: ({ training, data }) =>
      (training.eval_strategy ?? "no") !== "no" && data.held_out === 0 ? "there is no text to evaluate on: set data.held_out, for example to 0.1" : undefined,
  },
  {
    path: "training.eval_on_start",
    reads: ["data.held_out"],
    problem: ({ training, data }) =>
      training.eval_on_start && data.held_out === 0 ? "there is no text to evaluate on: set data.held_out, for example to 0.1" : undefined,
  },
  {
    path: "training.lr_scheduler_type",
    reads: ["training.eval_strategy"],
    problem: ({ training }) =>
      schedulersThatEvaluate.includes(training.lr_scheduler_type) && (training.eval_strategy ?? "no") === "no"
        ? `"${training.lr_scheduler_type}" follows an evaluation: set training.eval_strategy and data.held_out`
        : undefined,
  },
  {
    path: "training.lr_scheduler_type",
    reads: ["training.lr_scheduler_kwargs"],
    problem: ({ training }) => {
      const needed = neededByScheduler[training.lr_scheduler_type];
      if (!needed || schedulerArguments(training.lr_scheduler_kwargs).some((name) => needed.names.includes(name))) return undefined;
      return `"${training.lr_scheduler_type}" needs ${needed.names.join(" or ")}: set training.lr_scheduler_kwargs, for example to ${needed.example}`;
    },
  },
  {
    path: "training.dataloader_prefetch_factor",
    reads: ["training.dataloader_num_workers"],
    problem: ({ training }) =>
      typeof training.dataloader_prefetch_factor === "number" && training.dataloader_num_workers === 0
        ? "only workers load ahead: set training.dataloader_num_workers above 0"
        : undefined,
  },
  {
    path: "training.dataloader_persistent_workers",
    reads: ["training.dataloader_num_workers"],
    problem: ({ training }) =>
      training.dataloader_persistent_workers && training.dataloader_num_workers === 0
        ? "there are no workers to keep: set training.dataloader_num_workers above 0"
        : undefined,
  },
];

function ofGpt2(model: RunConfig["model"]) {
  return model.type === "gpt2" ? model : undefined;
}

/** What engine `fast` implements, where it is not everything. */
const fastEngineHas: { path: string; value(config: RunConfig): unknown; has: readonly unknown[] }[] = [
  { path: "model.type", value: ({ model }) => model.type, has: ["gpt2"] },
  { path: "model.activation_function", value: ({ model }) => ofGpt2(model)?.activation_function, has: [undefined, "gelu_new"] },
  { path: "model.resid_pdrop", value: ({ model }) => ofGpt2(model)?.resid_pdrop, has: [undefined, 0] },
  { path: "model.embd_pdrop", value: ({ model }) => ofGpt2(model)?.embd_pdrop, has: [undefined, 0] },
  { path: "model.attn_pdrop", value: ({ model }) => ofGpt2(model)?.attn_pdrop, has: [undefined, 0] },
  { path: "model.reorder_and_upcast_attn", value: ({ model }) => ofGpt2(model)?.reorder_and_upcast_attn, has: [undefined, false] },
  { path: "training.optim", value: ({ training }) => training.optim, has: ownStateOptimizers },
  { path: "training.label_smoothing_factor", value: ({ training }) => training.label_smoothing_factor, has: [undefined, 0] },
  { path: "training.neftune_noise_alpha", value: ({ training }) => training.neftune_noise_alpha, has: [undefined, null] },
  { path: "training.fp16", value: ({ training }) => training.fp16, has: [undefined, false] },
  { path: "training.torch_compile", value: ({ training }) => training.torch_compile, has: [undefined, false] },
  { path: "training.activation_checkpointing", value: ({ training }) => training.activation_checkpointing, has: [undefined, null, false] },
];

const fastEngineRules: CrossFieldRule[] = fastEngineHas.map(({ path, value, has }) => ({
  path,
  reads: ["engine"],
  problem: (config) => {
    if (config.engine !== "fast" || has.includes(value(config))) return undefined;
    const accepted = has.filter((one) => one !== undefined && one !== null).map(String);
    const remedy = accepted.length > 0 ? `only ${accepted.join(" or ")}: use it, or engine=trainer` : "leave it out, or use engine=trainer";
    return `engine fast has no ${String(value(config))} here, ${remedy}`;
  },
}));

const processRules: CrossFieldRule[] = [
  {
    path: "processes",
    reads: ["engine"],
    problem: ({ processes, engine }) =>
      processes > 1 && engine !== "trainer" ? `engine ${engine} trains in one process: use engine=trainer, or processes=1` : undefined,
  },
  {
    path: "processes",
    reads: ["training.per_device_train_batch_size"],
    problem: ({ processes, training }) => {
      const batch = training.per_device_train_batch_size;
      if (batch % processes === 0) return undefined;
      const divisors = Array.from({ length: Math.min(processes, batch) }, (_, index) => index + 1).filter((number) => batch % number === 0);
      return `${processes} processes cannot share a batch of ${batch} windows (training.per_device_train_batch_size) evenly: use ${divisors.at(-1)}, or another batch size`;
    },
  },
  {
    path: "processes",
    reads: ["device"],
    problem: ({ processes, device }) =>
      processes > 1 && (device === "mps" || device.startsWith("cuda:"))
        ? `each process needs a device of its own, and device=${device} is one: use cpu, or cuda, whose GPUs they share out`
        : undefined,
  },
  {
    path: "training.label_smoothing_factor",
    reads: ["processes"],
    problem: ({ processes, training }) =>
      processes > 1 && training.label_smoothing_factor
        ? "is a mean over each process's part, which HF does not weigh by its size: leave it out, or use processes=1"
        : undefined,
  },
];

const stackRules: CrossFieldRule[] = [
  {
    path: "stack",
    reads: ["engine"],
    problem: ({ stack, engine }) => (stack > 1 && engine !== "fast" ? `engine ${engine} has no stack: use engine=fast, or stack=1` : undefined),
  },
  {
    path: "compiled_step",
    reads: ["stack"],
    problem: ({ stack, compiled_step }) => (stack > 1 && compiled_step === "on" ? "a stack is not compiled: use compiled_step=off, or stack=1" : undefined),
  },
];

/** What has to hold between fields, each with its remedy. */
export const crossFieldRules: readonly CrossFieldRule[] = [...modelRules, ...recordRules, ...trainingRules, ...fastEngineRules, ...processRules, ...stackRules];
