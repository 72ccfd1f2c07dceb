import { totalmem } from "node:os";
import { configInvalid } from "../config/config-invalid.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { groupDigits } from "../text/group-digits.js";

/** GPT-2 draws its weights in float32 before they are rounded. */
const bytesOfWeight = 4;

/**
 * Refuse a model whose weights alone do not fit into this machine, before Python begins to build it.
 *
 * @param memory bytes of memory that there are.
 * @throws {BhBridgeError} `CONFIG_INVALID` with the bytes that are needed and that are there.
 */
export function requireMemory(model: RunConfig["model"], memory: number = installedMemory()): void {
  const needed = weightCount(model) * bytesOfWeight;
  if (needed <= memory) return;
  const { vocab_size, n_positions, n_embd, n_layer } = model;
  const sizes = `model.n_layer = ${n_layer}, n_embd = ${n_embd}, vocab_size = ${vocab_size}, n_positions = ${n_positions}`;
  const message = `its weights need about ${groupDigits(needed)} bytes and this machine has ${groupDigits(memory)}: make it smaller (${sizes})`;
  throw configInvalid([{ path: "model", message }]);
}

/** Weights of a GPT-2: embeddings, for each block attention and feed-forward layers with their biases and two norms, a last norm, and an untied head. */
export function weightCount({ vocab_size, n_positions, n_embd, n_layer, n_inner, tie_word_embeddings }: RunConfig["model"]): number {
  const inner = n_inner ?? 4 * n_embd;
  const attention = 4 * n_embd * n_embd + 4 * n_embd;
  const feedForward = 2 * n_embd * inner + inner + n_embd;
  const block = attention + feedForward + 4 * n_embd;
  return (vocab_size * (tie_word_embeddings ? 1 : 2) + n_positions) * n_embd + n_layer * block + 2 * n_embd;
}

/** The machine's memory, or what the container that this runs in may take of it. */
export function installedMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
