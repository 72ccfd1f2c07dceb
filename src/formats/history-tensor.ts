import type { TensorInfo } from "./stored-tensor.js";

/** The tensor in which the recorder and the notebook save the history of the embedding. */
export const embeddingHistory = "embedding_history";
/** Names under which histories are saved: that one, and that of HDF5 trajectories. */
export const historyTensorNames: readonly string[] = [embeddingHistory, "W"];

/** The tensors `[states, tokens, dims]` of a file. */
export function historyTensors<Tensor extends TensorInfo>(tensors: readonly Tensor[]): Tensor[] {
  return tensors.filter((tensor) => tensor.shape.length === 3);
}

/** The history among a file's tensors: the one of a known name, else the only one of three dimensions. */
export function findHistoryTensor<Tensor extends TensorInfo>(tensors: readonly Tensor[]): Tensor | undefined {
  const candidates = historyTensors(tensors);
  const named = candidates.find((tensor) => historyTensorNames.includes(tensor.name));
  return named ?? (candidates.length === 1 ? candidates[0] : undefined);
}
