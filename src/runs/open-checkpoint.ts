import { isDirectory } from "../formats/file-bytes.js";
import { findTensor } from "../formats/find-tensor.js";
import { readTrainerState } from "../formats/hf/trainer-state.js";
import { loadMatrix } from "../formats/load-matrix.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import type { Checkpoint } from "./checkpoint.js";
import { openTensors } from "./open-tensors.js";

/**
 * Open whatever Python left: a safetensors file or its shards, what `torch.save` saved, a checkpoint directory of transformers, an HDF5,
 * `.npy` or `.npz` file, a history, a run of this package. No Python is needed, and nothing in a file is executed.
 *
 * @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_INVALID` with the byte offset, `FORMAT_UNSUPPORTED` with a way out.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const trainerState = isDirectory(path) ? readTrainerState(path) : undefined;
  const opened = await openTensors(path);
  const find = (name: string): StoredTensor => findTensor(opened.tensors, name, path);
  const close = async (): Promise<void> => opened.close();
  return {
    path,
    kind: opened.kind,
    tensors: opened.tensors,
    metadata: opened.metadata,
    inertGlobals: opened.inertGlobals ?? [],
    ...(trainerState ? { trainerState } : {}),
    matrix: async (name, { signal } = {}) => loadMatrix(find(name), signal),
    rows: async (name) => find(name).rows(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
