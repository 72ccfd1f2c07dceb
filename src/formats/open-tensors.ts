import type { CheckpointKind } from "./checkpoint.js";
import { isDirectory } from "./file-bytes.js";
import type { FileKind } from "./file-kind.js";
import { openHfDirectory } from "./hf/hf-directory.js";
import { findHistoryTensor, historyTensorNames } from "./history-tensor.js";
import { openTensorFile } from "./open-tensor-file.js";
import { isRunDirectory, openRunDirectory } from "./run-directory.js";
import type { TensorFile } from "./safetensors/safetensors.js";

/** What was opened, by its kind. */
export interface OpenTensors extends TensorFile {
  readonly kind: CheckpointKind;
  readonly inertGlobals?: readonly string[];
}

const kindsOfFiles: Readonly<Record<FileKind, CheckpointKind>> = {
  safetensors: "safetensors",
  "safetensors-index": "safetensors-sharded",
  "torch-zip": "torch-zip",
  hdf5: "hdf5",
  npy: "npy",
  npz: "npz",
};

/** Open a file or a directory of tensors, whatever it is; errors as `openCheckpoint`. */
export async function openTensors(path: string): Promise<OpenTensors> {
  if (isDirectory(path)) return isRunDirectory(path) ? { ...openRunDirectory(path), kind: "run" } : openHfDirectory(path);
  const file = await openTensorFile(path);
  const history = file.kind === "safetensors" ? findHistoryTensor(file.tensors) : undefined;
  const kind = history && historyTensorNames.includes(history.name) ? "history" : kindsOfFiles[file.kind];
  return { ...file, kind };
}
