import { batchedRuns, processesOf } from "../engine-schema.js";
import type { CrossFieldRule } from "./cross-field-rule.js";

const schedulersThatEvaluate: readonly string[] = ["reduce_lr_on_plateau", "greedy"];
/** Arguments of which `training.lr_scheduler_kwargs` must contain one, by schedule. */
const neededByScheduler: Readonly<Record<string, { names: readonly string[]; example: string }>> = {
  cosine_with_min_lr: { names: ["min_lr", "min_lr_rate"], example: '{"min_lr":1e-5}' },
  cosine_warmup_with_min_lr: { names: ["min_lr", "min_lr_rate"], example: '{"min_lr":1e-5}' },
  warmup_stable_decay: { names: ["num_decay_steps"], example: '{"num_decay_steps":100}' },
};

/** Rules on precision, logs, evaluation, learning rate and data loading. */
export const trainingRules: readonly CrossFieldRule[] = [
  {
    path: "training.fp16",
    reads: ["training.bf16"],
    problem: ({ training }) => (training.fp16 && training.bf16 ? "cannot be combined with training.bf16: set one of them to false" : undefined),
  },
  {
    path: "training.logging_steps",
    reads: [],
    problem: ({ training }) => (training.logging_steps > 1 && !Number.isInteger(training.logging_steps) ? "must be an integer if it is above 1" : undefined),
  },
  {
    path: "training.eval_strategy",
    reads: ["data.held_out"],
    problem: ({ training, data }) =>
      (training.eval_strategy ?? "no") !== "no" && data.held_out === 0 ? "requires held-out text: set data.held_out, for example to 0.1" : undefined,
  },
  {
    path: "training.eval_on_start",
    reads: ["data.held_out"],
    problem: ({ training, data }) =>
      training.eval_on_start && data.held_out === 0 ? "requires held-out text: set data.held_out, for example to 0.1" : undefined,
  },
  {
    path: "training.lr_scheduler_type",
    reads: ["training.eval_strategy"],
    problem: ({ training }) =>
      schedulersThatEvaluate.includes(training.lr_scheduler_type) && (training.eval_strategy ?? "no") === "no"
        ? `"${training.lr_scheduler_type}" requires evaluation: set training.eval_strategy and data.held_out`
        : undefined,
  },
  {
    path: "training.lr_scheduler_type",
    reads: ["training.lr_scheduler_kwargs"],
    problem: ({ training }) => {
      const needed = neededByScheduler[training.lr_scheduler_type];
      if (!needed || schedulerArguments(training.lr_scheduler_kwargs).some((name) => needed.names.includes(name))) return undefined;
      return `"${training.lr_scheduler_type}" requires ${needed.names.join(" or ")}: set training.lr_scheduler_kwargs, for example to ${needed.example}`;
    },
  },
  {
    path: "training.dataloader_prefetch_factor",
    reads: ["training.dataloader_num_workers"],
    problem: ({ training }) =>
      typeof training.dataloader_prefetch_factor === "number" && training.dataloader_num_workers === 0
        ? "requires workers: set training.dataloader_num_workers above 0"
        : undefined,
  },
  {
    path: "training.dataloader_persistent_workers",
    reads: ["training.dataloader_num_workers"],
    problem: ({ training }) =>
      training.dataloader_persistent_workers && training.dataloader_num_workers === 0
        ? "requires workers: set training.dataloader_num_workers above 0"
        : undefined,
  },
];

/** Names in `training.lr_scheduler_kwargs`, which transformers also accepts as JSON text. */
function schedulerArguments(given: unknown): string[] {
  if (typeof given !== "string") return Object.keys(given ?? {});
  try {
    return Object.keys(JSON.parse(given));
  } catch {
    return []; // transformers reports text that is not JSON
  }
}

/** Rules on several processes. */
export const processRules: readonly CrossFieldRule[] = [
  {
    path: "engine.processes",
    reads: ["engine.name"],
    problem: ({ engine }) =>
      processesOf({ engine }) > 1 && engine.name !== "trainer"
        ? `engine ${engine.name} supports only one process: use engine=trainer, or engine.processes=1`
        : undefined,
  },
  {
    path: "engine.processes",
    reads: ["training.per_device_train_batch_size"],
    problem: (config) => {
      const [processes, { training }] = [processesOf(config), config];
      const batch = training.per_device_train_batch_size;
      if (batch % processes === 0) return undefined;
      const divisors = Array.from({ length: Math.min(processes, batch) }, (_, index) => index + 1).filter((number) => batch % number === 0);
      return `${processes} processes cannot share a batch of ${batch} windows (training.per_device_train_batch_size) evenly: use ${divisors.at(-1)}, or another batch size`;
    },
  },
  {
    path: "engine.processes",
    reads: ["device"],
    problem: ({ engine, device }) =>
      processesOf({ engine }) > 1 && (device === "mps" || device.startsWith("cuda:"))
        ? `each process requires its own device, but device=${device} is a single one: use cpu, or cuda, which gives each process a GPU`
        : undefined,
  },
  {
    path: "engine.processes",
    reads: ["model.type"],
    problem: ({ engine, model, training }) =>
      processesOf({ engine }) > 1 && (model.type === "python" || training.compute_loss_func)
        ? "several processes add the losses of their parts, which a model or a loss of your own need not allow: use engine.processes=1"
        : undefined,
  },
  {
    path: "track",
    reads: ["engine.name", "engine.batched_runs"],
    problem: (config) =>
      config.track.length > 0 && batchedRuns(config) > 1
        ? `supports one run per process, but engine.batched_runs is ${batchedRuns(config)}: set it to 1, or use "bh-bridge export --to ${config.track[0]}" on the finished runs`
        : undefined,
  },
  {
    path: "training.label_smoothing_factor",
    reads: ["engine.processes"],
    problem: ({ engine, training }) =>
      processesOf({ engine }) > 1 && training.label_smoothing_factor
        ? "is not supported with several processes, whose parts transformers does not weight by size: omit it, or use engine.processes=1"
        : undefined,
  },
];
