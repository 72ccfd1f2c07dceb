import { existsSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { readTrainerState } from "../formats/hf/hf-directory.js";
import { PickleDict, PickleFloat, PickleInstance, PickleList, PickleTuple } from "../formats/torch/pickle-cursor.js";
import { readTorchValue } from "../formats/torch/torch-archive.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layers.js";

const fileName = "training_args.bin";

/** Fields of TrainingArguments that shape a training and have a default of their own here. Evaluation, saving and reporting belong to the script. */
const settings = [
  "per_device_train_batch_size gradient_accumulation_steps train_sampling_strategy dataloader_num_workers learning_rate lr_scheduler_type warmup_steps",
  "weight_decay max_grad_norm optim adam_beta1 adam_beta2 adam_epsilon bf16 logging_steps",
].flatMap((line) => line.split(" "));

/** Those that are off by default. */
const switches = [
  "dataloader_drop_last lr_scheduler_kwargs label_smoothing_factor neftune_noise_alpha optim_args optim_target_modules fp16 tf32 full_determinism",
  "activation_checkpointing activation_checkpointing_kwargs torch_compile torch_compile_backend torch_compile_mode use_liger_kernel liger_kernel_config",
].flatMap((line) => line.split(" "));

/** Whether a checkpoint has the settings of its training. */
export function hasTrainingArgs(checkpoint: string): boolean {
  return existsSync(join(checkpoint, fileName));
}

/**
 * The settings of the Trainer script that wrote a checkpoint, as a layer. Its pickle is read as data and never executed.
 * @throws {BhBridgeError} as `readTorchValue`; `FORMAT_INVALID` for a damaged trainer_state.json.
 */
export function trainingArgsLayer(checkpoint: string): Layer {
  const args = trainingArgs(checkpoint);
  const named = Number(args["max_steps"] ?? -1); // -1 trains for num_train_epochs
  const steps = named > 0 ? named : readTrainerState(checkpoint)?.max_steps;
  const read = [...settings.filter((name) => (args[name] ?? null) !== null), ...switches.filter((name) => isOn(args[name]))];
  return {
    values: {
      ...(typeof args["seed"] === "number" && { seed: args["seed"] }),
      ...(typeof args["data_seed"] === "number" && { seeds: { data: args["data_seed"] } }),
      ...(args["use_cpu"] === true && { device: "cpu" }),
      // Trainer's own rule and dtype, whatever the preset has.
      training: {
        ...Object.fromEntries(read.map((name) => [name, args[name]])),
        ...(steps && { max_steps: steps }),
        decay_norms: "hf",
        optimizer_state_dtype: "model",
      },
    },
    sourceOf: () => `${fileName} of ${checkpoint}`,
  };
}

/** What influenced the script's training and cannot be applied here, each as one sentence. */
export function unappliedSettings(checkpoint: string): string[] {
  const args = trainingArgs(checkpoint);
  const sampler = args["accelerator_config"];
  return [
    "The checkpoint does not contain the script's text, windows, collator or callbacks: data.corpus, data.window_length and data.windows replace them.",
    ...((args["eval_strategy"] ?? "no") === "no" ? [] : ["The script also evaluated, which draws random numbers: with dropout, the bits differ from its own."]),
    ...(isPlainObject(sampler) && sampler["use_seedable_sampler"] === false
      ? ["The script set use_seedable_sampler=False: its windows came in another order, which is not supported."]
      : []),
  ];
}

/** The fields of TrainingArguments under the names of the newest version. */
function trainingArgs(checkpoint: string): Record<string, unknown> {
  const path = join(checkpoint, fileName);
  const written = plain(readTorchValue(path), 0);
  if (!isPlainObject(written)) throw new BhBridgeError("FORMAT_INVALID", `${path} does not contain TrainingArguments. Remove it, and set the fields yourself`);
  const { evaluation_strategy, no_cuda, per_gpu_train_batch_size, gradient_checkpointing, gradient_checkpointing_kwargs, warmup_ratio, ...args } = written;
  const older = {
    eval_strategy: evaluation_strategy,
    use_cpu: no_cuda,
    activation_checkpointing: gradient_checkpointing,
    activation_checkpointing_kwargs: gradient_checkpointing_kwargs,
    ...(args["group_by_length"] === true && { train_sampling_strategy: "group_by_length" }),
  };
  const devices = Math.max(1, Number(args["_n_gpu"] ?? 1)); // Trainer splits a batch over all GPUs of its process
  const batch = Number(per_gpu_train_batch_size ?? args["per_device_train_batch_size"]) * devices;
  return {
    ...older,
    ...args,
    per_device_train_batch_size: Number.isNaN(batch) ? undefined : batch,
    ...(args["warmup_steps"] || !isOn(warmup_ratio) ? {} : { warmup_steps: warmup_ratio }),
    ...(args["adafactor"] === true && { optim: "adafactor" }),
  };
}

function isOn(value: unknown): boolean {
  return Boolean(value) && (typeof value !== "object" || Object.keys(value ?? {}).length > 0);
}

/** Deepest nesting of the fields. */
const deepest = 8;

/** A pickled value as JSON: an enum is its value, another object its attributes; undefined for what has no such form. */
function plain(value: unknown, depth: number): unknown {
  if (depth > deepest) return undefined;
  if (value instanceof PickleFloat) return value.value;
  if (value instanceof PickleList || value instanceof PickleTuple) return value.items.map((item) => plain(item, depth + 1));
  if (value instanceof PickleDict) {
    const entries = [...value.entries].filter(([key]) => typeof key === "string" && key !== "__proto__");
    return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, depth + 1)]));
  }
  if (value instanceof PickleInstance) {
    const [only, ...more] = value.args instanceof PickleTuple ? value.args.items : [];
    return value.state === null && typeof only === "string" && more.length === 0 ? only : plain(value.state, depth + 1);
  }
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}
