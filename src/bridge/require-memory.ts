import { totalmem } from "node:os";
import { configInvalid } from "../config/config-invalid.js";
import { familyOf } from "../config/models/families.js";
import { modelSize } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { isTokenArray } from "../formats/text/text-files.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { groupDigits } from "../text/format.js";

/** Weights are drawn in float32 before they are rounded. */
const bytesOfWeight = 4;

/**
 * Refuse a model whose weights alone exceed the memory of this machine, before Python builds it.
 * @param memory available bytes.
 * @throws {BhBridgeError} `CONFIG_INVALID` with the required and the available bytes.
 */
export function requireMemory(model: RunConfig["model"], memory: number = installedMemory()): void {
  const needed = weightCount(model) * bytesOfWeight;
  if (needed <= memory) return;
  const sizes = Object.entries(model).flatMap(([name, value]) => (typeof value === "number" && sizeNames.test(name) ? [`${name} = ${value}`] : []));
  const message = `its weights need about ${groupDigits(needed)} bytes and this machine has ${groupDigits(memory)}: make it smaller (model.${sizes.join(", ")})`;
  throw configInvalid([{ path: "model", message }]);
}

/** Python stores the index of a window in this number of bytes, and in twice as many from `wideFrom` windows on. */
const bytesOfIndex = 4;
const wideFrom = 2 ** 31;

/** Bytes of memory per process for a corpus: its tokens, and the order of the windows of an epoch if they are shuffled. */
export function corpusMemory(
  { tokens, windows, tokenizer }: Pick<CorpusFacts, "tokens" | "windows" | "tokenizer">,
  { data: { corpus }, model, training }: Pick<RunConfig, "data" | "model" | "training">,
): number {
  const texts = Array.isArray(corpus) ? corpus.map(({ path }) => path) : [corpus ?? ""];
  const hasIds = texts.some(isTokenArray);
  const isMapped = hasIds && texts.length === 1;
  const bytesOfToken = isMapped ? 0 : tokenizer === undefined && !hasIds ? 1 : model.vocab_size <= 1 << 16 ? 2 : 4;
  const bytesOfOrder = training.train_sampling_strategy === "sequential" ? 0 : windows < wideFrom ? bytesOfIndex : 2 * bytesOfIndex;
  return tokens * bytesOfToken + windows * bytesOfOrder;
}

/**
 * Refuse a corpus that exceeds the memory of this machine.
 * @param memory available bytes.
 * @throws {BhBridgeError} `CONFIG_INVALID` with the required and the available bytes.
 */
export function requireCorpusMemory(
  corpus: Pick<CorpusFacts, "path" | "tokens" | "windows" | "tokenizer">,
  config: Pick<RunConfig, "data" | "model" | "training">,
  memory: number = installedMemory(),
): void {
  const needed = corpusMemory(corpus, config);
  if (needed <= memory) return;
  const message = `${corpus.path} needs about ${groupDigits(needed)} bytes of memory for ${groupDigits(corpus.tokens)} tokens and ${groupDigits(corpus.windows)} windows, and this machine has ${groupDigits(memory)}: use a shorter text, or fewer windows (data.windows = chunks)`;
  throw configInvalid([{ path: "data.corpus", message }]);
}

const sizeNames = /^(?:vocab_size|n_positions|n_embd|n_layer|.*hidden_size|num_hidden_layers|max_position_embeddings|d_model)$/;

/** Whether `weightCount` counts all weights of the model's family. */
export function knowsBlocks(model: RunConfig["model"]): boolean {
  return familyOf(model) !== undefined;
}

/** Number of weights of a model; for an unknown family only those of its embedding. */
export function weightCount(model: RunConfig["model"]): number {
  return familyOf(model)?.weights(model) ?? model.vocab_size * (modelSize(model, "width") ?? 0);
}

/** Bytes of memory of the machine or of the container's limit. */
export function installedMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
