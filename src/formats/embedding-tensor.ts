import { BhBridgeError } from "../errors.js";
import { findHistoryTensor, historyTensorNames } from "./history-tensor.js";
import type { StoredTensor } from "./stored-tensor.js";

/** How token embeddings are called at the end of their name: GPT-2, Llama and Qwen, BERT, and models of one's own. */
const embeddingNames: readonly string[] = [
  "wte.weight",
  "embed_tokens.weight",
  "word_embeddings.weight",
  "tok_embeddings.weight",
  "embedding.weight",
  "embeddings.weight",
];

/** So many names are told when there is no telling which is meant. */
const namesTold = 12;

/**
 * The embedding among a file's tensors, when none is named: a recorded history, a tensor with an embedding's usual name, the only matrix,
 * or the only tensor `[states, tokens, dims]`, in this order.
 *
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND` naming the matrices when none of them stands out.
 */
export function findEmbedding(tensors: readonly StoredTensor[], source: string): StoredTensor {
  const history = findHistoryTensor(tensors);
  if (history && historyTensorNames.includes(history.name)) return history;
  for (const name of embeddingNames) {
    const [first, second] = tensors.filter((tensor) => tensor.shape.length === 2 && (tensor.name === name || tensor.name.endsWith(`.${name}`)));
    if (first && !second) return first;
  }
  const matrices = tensors.filter((tensor) => tensor.shape.length === 2);
  const [only] = matrices;
  if (only && matrices.length === 1) return only;
  if (matrices.length === 0 && history) return history;
  throw new BhBridgeError("TENSOR_NOT_FOUND", `${source} has ${choices(matrices)}`);
}

function choices(matrices: readonly StoredTensor[]): string {
  if (matrices.length === 0) return "no matrix and no history [states, tokens, dims]";
  const names = matrices.slice(0, namesTold).map((tensor) => tensor.name);
  const more = matrices.length > namesTold ? `, and ${matrices.length - namesTold} more` : "";
  return `${matrices.length} matrices, and none is called as an embedding is; name one of ${names.join(", ")}${more}`;
}
