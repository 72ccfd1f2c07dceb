import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { containedFile, formatInvalid } from "../file-bytes.js";
import { readJson } from "../read-json.js";
import { openSafetensors, openSharded, type TensorFile } from "../safetensors/safetensors.js";
import { openTorchArchive, type TorchFile } from "../torch/torch-archive.js";

/** An open directory of Hugging Face's layout. */
interface HfDirectory extends TensorFile {
  readonly kind: "hf-checkpoint" | "hf-optimizer" | "safetensors-sharded";
  readonly inertGlobals?: readonly string[];
}

/** The files that hold a model's tensors, in the order in which transformers looks for them. */
const modelFiles: readonly (readonly [name: string, open: (path: string, name: string) => TensorFile | TorchFile])[] = [
  ["model.safetensors", openSafetensors],
  ["model.safetensors.index.json", (path) => openSharded(path, openSafetensors)],
  ["pytorch_model.bin", openTorchArchive],
  ["pytorch_model.bin.index.json", (path) => openSharded(path, openTorchArchive)],
];
/** What is left of a checkpoint when its model was removed to save space. */
const optimizerFile = "optimizer.pt";
const configFile = "config.json";

/** Whether a directory has the weights of a model, or the index of their shards. */
export function holdsModel(directory: string): boolean {
  return modelFiles.some(([name]) => existsSync(join(directory, name)));
}

/**
 * Open a directory that transformers saved: a model in one file or in shards, or an optimizer's state alone.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` when it holds neither, naming the checkpoints inside it; what the readers of its files throw.
 */
export function openHfDirectory(directory: string): HfDirectory {
  const has = (name: string): boolean => existsSync(join(directory, name));
  const config = has(configFile) ? { config: readJson(containedFile(directory, configFile)) } : {};
  const [name, open] = modelFiles.find(([each]) => has(each)) ?? [optimizerFile, openTorchArchive];
  if (!has(name)) throw nothingToOpen(directory);
  const file = open(containedFile(directory, name), name);
  const isSharded = name.endsWith("index.json") && !has(configFile);
  const kind = name === optimizerFile ? "hf-optimizer" : isSharded ? "safetensors-sharded" : "hf-checkpoint";
  return { ...file, kind, metadata: { ...file.metadata, ...config } };
}

function nothingToOpen(directory: string): BhBridgeError {
  const names = readdirSync(directory);
  const checkpoints = names.filter((name) => /^checkpoint-[0-9]+$/.test(name)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const tensorFiles = names.filter((name) => /\.(?:safetensors|pt|bin|npy|h5|hdf5|gguf)$/.test(name));
  const advice =
    checkpoints.length > 0
      ? `It holds the checkpoints ${checkpoints.join(", ")}; name one, for example ${join(directory, checkpoints.at(-1) ?? "")}`
      : tensorFiles.length > 0
        ? `It holds ${tensorFiles.slice(0, 10).join(", ")}; name one of them`
        : `It should hold ${modelFiles.map(([name]) => name).join(" or ")}, or ${optimizerFile}, or be a run`;
  return new BhBridgeError("FORMAT_UNSUPPORTED", `${directory} is a directory without a model, an optimizer's state or a run. ${advice}.`);
}

const fileName = "trainer_state.json";

/** What of the Hugging Face Trainer's own state is read; names are Python's. NaN and infinity are null. */
export const trainerStateSchema = z.object({
  global_step: z.number().int(),
  max_steps: z.number().int(),
  epoch: z.number().nullish(),
  num_train_epochs: z.number().nullish(),
  best_metric: z.number().nullish(),
  log_history: z.array(z.record(z.string(), z.unknown())),
});
export type TrainerState = z.infer<typeof trainerStateSchema>;

/** The Trainer's state in a checkpoint directory, when it has one. @throws {BhBridgeError} `FORMAT_INVALID`. */
export function readTrainerState(directory: string): TrainerState | undefined {
  if (!existsSync(join(directory, fileName))) return undefined;
  const path = containedFile(directory, fileName);
  const checked = trainerStateSchema.safeParse(readJson(path));
  if (checked.success) return checked.data;
  throw formatInvalid(path, 0, `it is not a Trainer state: ${z.prettifyError(checked.error)}`);
}

/** What a `config.json` says of the family of its model. */
interface SavedFamily {
  /** The family's own `model_type` in transformers; undefined where the file names none. */
  readonly type: unknown;
  /** The norm that replaces the family's own; null for none. */
  readonly norm: "rmsnorm" | "layernorm" | null;
}

/** A model with replaced norms has a `model_type` that transformers does not know, so that it never loads the weights with the family's own norms. */
const replacedType = /^(?<type>.+)_with_(?<norm>rmsnorm|layernorm)$/;
/** Until 0.2 it had the family's `model_type`, and named a class of ours. */
const replacedClass = /(?<norm>RMSNormLMHeadModel|WithRMSNormForCausalLM|WithLayerNormForCausalLM)$/;

/** The family and the norm of a saved model, by its `config.json`, whichever version saved it. */
export function savedFamily(config: Readonly<Record<string, unknown>>): SavedFamily {
  const type = config["model_type"];
  const found = typeof type === "string" ? replacedType.exec(type)?.groups : undefined;
  if (found) return { type: found["type"], norm: found["norm"] === "rmsnorm" ? "rmsnorm" : "layernorm" };
  const [name] = Array.isArray(config["architectures"]) ? config["architectures"] : [];
  const norm = typeof name === "string" ? replacedClass.exec(name)?.groups?.["norm"] : undefined;
  return { type, norm: norm === undefined ? null : norm.includes("RMSNorm") ? "rmsnorm" : "layernorm" };
}

/** Files of a tokenizer that transformers converts: sentencepiece, tiktoken, and the word pieces of BERT. */
const convertible = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tiktoken.model", "vocab.txt"];

/**
 * The tokenizer that was saved with a model: its tokenizer.json, or its directory if transformers has to convert it. A checkpoint of a run has that of its run.
 * Undefined for a model without one.
 */
export function tokenizerOf(model: string): string | undefined {
  const has = (name: string) => existsSync(join(model, name));
  if (has("tokenizer.json")) return join(model, "tokenizer.json");
  if ((has("vocab.json") && has("merges.txt")) || convertible.some(has)) return model;
  const [checkpoints, run] = [dirname(model), dirname(dirname(model))];
  const ofRun = join(run, "tokenizer.json");
  return basename(checkpoints) === "checkpoints" && existsSync(join(run, "run.json")) && existsSync(ofRun) ? ofRun : undefined;
}
