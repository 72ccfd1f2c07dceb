import { totalmem } from "node:os";
import { configInvalid } from "../config/config-invalid.js";
import { familyOf } from "../config/models/families.js";
import { modelSize } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { groupDigits } from "../text/format.js";

/** A model draws its weights in float32 before they are rounded. */
const bytesOfWeight = 4;

/**
 * Refuse a model whose weights alone do not fit into this machine, before Python begins to build it.
 * @param memory bytes of memory that there are.
 * @throws {BhBridgeError} `CONFIG_INVALID` with the bytes that are needed and that are there.
 */
export function requireMemory(model: RunConfig["model"], memory: number = installedMemory()): void {
  const needed = weightCount(model) * bytesOfWeight;
  if (needed <= memory) return;
  const told = Object.entries(model).flatMap(([name, value]) => (typeof value === "number" && sizeNames.test(name) ? [`${name} = ${value}`] : []));
  const sizes = `model.${told.join(", ")}`;
  const message = `its weights need about ${groupDigits(needed)} bytes and this machine has ${groupDigits(memory)}: make it smaller (${sizes})`;
  throw configInvalid([{ path: "model", message }]);
}

/** Python holds the number of a window in so many bytes, or in twice as many from this count on. */
const bytesOfNumber = 4;
const wideFrom = 2 ** 31;

/** Bytes of memory that a process takes for a corpus: its tokens once, and the order of the windows of an epoch where they are shuffled. */
export function corpusMemory(
  { tokens, windows, tokenizer }: Pick<CorpusFacts, "tokens" | "windows" | "tokenizer">,
  { model, training }: Pick<RunConfig, "model" | "training">,
): number {
  const bytesOfToken = tokenizer === undefined ? 1 : model.vocab_size <= 1 << 16 ? 2 : 4;
  const bytesOfOrder = training.train_sampling_strategy === "sequential" ? 0 : windows < wideFrom ? bytesOfNumber : 2 * bytesOfNumber;
  return tokens * bytesOfToken + windows * bytesOfOrder;
}

/**
 * Refuse a corpus that does not fit into this machine.
 * @param memory bytes of memory that there are.
 * @throws {BhBridgeError} `CONFIG_INVALID` with the bytes that are needed and that are there.
 */
export function requireCorpusMemory(
  corpus: Pick<CorpusFacts, "path" | "tokens" | "windows" | "tokenizer">,
  config: Pick<RunConfig, "model" | "training">,
  memory: number = installedMemory(),
): void {
  const needed = corpusMemory(corpus, config);
  if (needed <= memory) return;
  const message = `${corpus.path} needs about ${groupDigits(needed)} bytes of memory, for ${groupDigits(corpus.tokens)} tokens and ${groupDigits(corpus.windows)} windows, and this machine has ${groupDigits(memory)}: use a shorter text, or fewer windows (data.windows = chunks)`;
  throw configInvalid([{ path: "data.corpus", message }]);
}

const sizeNames = /^(?:vocab_size|n_positions|n_embd|n_layer|.*hidden_size|num_hidden_layers|max_position_embeddings|d_model)$/;

/** Whether `weightCount` counts all weights of a family; of any other only Python knows the blocks. */
export function knowsBlocks(model: RunConfig["model"]): boolean {
  return familyOf(model) !== undefined;
}

/** Number of weights of a model, at least: those of its embedding where the family's blocks are not known here. */
export function weightCount(model: RunConfig["model"]): number {
  return familyOf(model)?.weights(model) ?? model.vocab_size * (modelSize(model, "width") ?? 0);
}

/** The machine's memory, or what the container that this runs in may take of it. */
export function installedMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
