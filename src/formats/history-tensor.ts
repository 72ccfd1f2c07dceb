import type { TensorInfo } from "./stored-tensor.js";

/** Names under which histories are saved: by the recorder and the notebook, and in HDF5 trajectories. */
export const historyTensorNames: readonly string[] = ["embedding_history", "W"];

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
