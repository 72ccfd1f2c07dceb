import { existsSync } from "node:fs";
import { join } from "node:path";
import { containedFile, isDirectory } from "../formats/file-bytes.js";
import { findTensor } from "../formats/find-tensor.js";
import { openHfDirectory, readTrainerState } from "../formats/hf/hf-directory.js";
import { findHistoryTensor, historyTensorNames } from "../formats/history.js";
import { type FileKind, openTensorFile } from "../formats/open-tensor-file.js";
import type { Json } from "../formats/read-json.js";
import type { TensorFile } from "../formats/safetensors/safetensors.js";
import { loadMatrix, type StoredTensor } from "../formats/stored-tensor.js";
import { checkedFile, openCheckedHistory } from "./checked-history.js";
import type { Checkpoint, CheckpointKind } from "./checkpoint.js";
import { requireFolder } from "./file-types.js";
import { readRunJson } from "./read-run-json.js";
import { finalFolder, historyFiles, isRunDirectory, runFiles } from "./run-layout.js";

/** Open the recorded histories of a run directory. @throws {BhBridgeError} what the readers of its files throw. */
export function openRunHistories(directory: string): TensorFile {
  const files: TensorFile[] = [];
  const close = (): void => {
    for (const file of files) file.close();
  };
  try {
    for (const name of historyFiles(directory)) files.push(openCheckedHistory(containedFile(directory, name), name));
    return { tensors: files.flatMap((file) => file.tensors), metadata: {}, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Open a run directory: its recorded histories, and the tensors of its final model, if any. `metadata` is its `run.json`.
 * @throws {BhBridgeError} what the readers of its files throw.
 */
export function openRunDirectory(directory: string): TensorFile {
  const histories = openRunHistories(directory);
  try {
    const metadata = runRecord(directory);
    const finalPath = join(directory, finalFolder);
    requireFolder(finalPath);
    if (!existsSync(finalPath)) return { ...histories, metadata };
    const final = openHfDirectory(finalPath);
    const close = (): void => {
      histories.close();
      final.close();
    };
    const finalTensors = final.tensors.map((tensor) => ({ ...tensor, file: `${finalFolder}/${tensor.file}` }));
    return { tensors: [...histories.tensors, ...finalTensors], metadata, close };
  } catch (error) {
    histories.close();
    throw error;
  }
}

function runRecord(directory: string): Record<string, Json> {
  if (!existsSync(join(directory, runFiles.manifest))) return {};
  const record = readRunJson(directory, runFiles.manifest);
  return typeof record === "object" && record !== null && !Array.isArray(record) ? { ...record } : {};
}

const kindsOfFiles: Readonly<Record<FileKind, CheckpointKind>> = {
  safetensors: "safetensors",
  "safetensors-index": "safetensors-sharded",
  "torch-zip": "torch-zip",
  hdf5: "hdf5",
  npy: "npy",
  npz: "npz",
};

/** Open any file or directory of tensors. @throws {BhBridgeError} as `openCheckpoint`. */
export async function openTensors(path: string): Promise<TensorFile & { readonly kind: CheckpointKind; readonly inertGlobals?: readonly string[] }> {
  if (isDirectory(path)) return isRunDirectory(path) ? { ...openRunDirectory(path), kind: "run" } : openHfDirectory(path);
  const file = await checkedFile(path, () => openTensorFile(path));
  const history = file.kind === "safetensors" ? findHistoryTensor(file.tensors) : undefined;
  const kind = history && historyTensorNames.includes(history.name) ? "history" : kindsOfFiles[file.kind];
  return { ...file, kind };
}

/**
 * Open whatever Python left: a safetensors file or its shards, what `torch.save` saved, a checkpoint directory of transformers, an HDF5, `.npy` or `.npz` file,
 * a history, a run of this package. No Python is needed, and nothing in a file is executed.
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
