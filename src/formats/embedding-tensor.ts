import { BhBridgeError } from "../errors.js";
import { findHistoryTensor, historyTensorNames } from "./history-tensor.js";
import { plainTensorName } from "./plain-tensor-name.js";
import type { StoredTensor, TensorInfo } from "./stored-tensor.js";

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
  const found = outstandingEmbedding(tensors);
  if (found) return found;
  throw new BhBridgeError("TENSOR_NOT_FOUND", `${source} has ${choices(tensors.filter(isMatrix))}`);
}

/** As `findEmbedding`, or nothing when none stands out. */
export function outstandingEmbedding<Tensor extends TensorInfo>(tensors: readonly Tensor[]): Tensor | undefined {
  const history = findHistoryTensor(tensors);
  if (history && historyTensorNames.includes(history.name)) return history;
  const matrices = tensors.filter(isMatrix);
  const named = matrices.map((tensor) => ({ tensor, plain: plainTensorName(tensor.name) }));
  for (const name of embeddingNames) {
    const [first, second] = named.filter(({ plain }) => plain === name || plain.endsWith(`.${name}`));
    if (first && !second) return first.tensor;
  }
  if (matrices.length === 0) return history;
  return matrices.length === 1 ? matrices[0] : undefined;
}

function isMatrix(tensor: TensorInfo): boolean {
  return tensor.shape.length === 2;
}

function choices(matrices: readonly TensorInfo[]): string {
  if (matrices.length === 0) return "no matrix and no history [states, tokens, dims]";
  const names = matrices.slice(0, namesTold).map((tensor) => tensor.name);
  const more = matrices.length > namesTold ? `, and ${matrices.length - namesTold} more` : "";
  return `${matrices.length} matrices, and none is called as an embedding is; name one of ${names.join(", ")}${more}`;
}
