import type { Checkpoint, CheckpointKind } from "./checkpoint.js";
import { isDirectory } from "./file-bytes.js";
import type { FileKind } from "./file-kind.js";
import { findTensor } from "./find-tensor.js";
import { openHfDirectory } from "./hf-directory.js";
import { findHistoryTensor, historyTensorNames } from "./history-tensor.js";
import { openTensorFile } from "./open-tensor-file.js";
import { isRunDirectory, openRunDirectory } from "./run-directory.js";
import type { TensorFile } from "./safetensors.js";
import { readMatrix, type StoredTensor } from "./stored-tensor.js";
import { readTrainerState } from "./trainer-state.js";

const kindsOfFiles: Readonly<Record<FileKind, CheckpointKind>> = {
  safetensors: "safetensors",
  "safetensors-index": "safetensors-sharded",
  "torch-zip": "torch-zip",
  hdf5: "hdf5",
  npy: "npy",
};

interface Opened extends TensorFile {
  readonly kind: CheckpointKind;
  readonly inertGlobals?: readonly string[];
}

/**
 * Open whatever Python left: a safetensors file or its shards, what `torch.save` saved, a checkpoint directory of transformers, an HDF5
 * or `.npy` file, a history, a run of this package. No Python is needed, and nothing in a file is executed.
 *
 * @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_INVALID` with the byte offset, `FORMAT_UNSUPPORTED` with a way out.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const directory = isDirectory(path);
  const opened = directory ? openDirectory(path) : await openFile(path);
  const trainerState = directory ? readTrainerState(path) : undefined;
  const find = (name: string): StoredTensor => findTensor(opened.tensors, name, path);
  const close = async (): Promise<void> => opened.close();
  return {
    path,
    kind: opened.kind,
    tensors: opened.tensors,
    metadata: opened.metadata,
    inertGlobals: opened.inertGlobals ?? [],
    ...(trainerState ? { trainerState } : {}),
    matrix: async (name) => readMatrix(find(name)),
    rows: async (name) => find(name).rows(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function openDirectory(path: string): Opened {
  return isRunDirectory(path) ? { ...openRunDirectory(path), kind: "run" } : openHfDirectory(path);
}

async function openFile(path: string): Promise<Opened> {
  const file = await openTensorFile(path);
  const history = file.kind === "safetensors" ? findHistoryTensor(file.tensors) : undefined;
  const kind = history && historyTensorNames.includes(history.name) ? "history" : kindsOfFiles[file.kind];
  return { ...file, kind };
}
