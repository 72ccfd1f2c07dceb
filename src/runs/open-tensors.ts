import { isDirectory } from "../formats/file-bytes.js";
import type { FileKind } from "../formats/file-kind.js";
import { openHfDirectory } from "../formats/hf/hf-directory.js";
import { findHistoryTensor, historyTensorNames } from "../formats/history-tensor.js";
import { openTensorFile } from "../formats/open-tensor-file.js";
import type { TensorFile } from "../formats/safetensors/safetensors.js";
import { checkedFile } from "./checked-history.js";
import type { CheckpointKind } from "./checkpoint.js";
import { openRunDirectory } from "./open-run-directory.js";
import { isRunDirectory } from "./run-layout.js";

/** What was opened, by its kind. */
interface OpenTensors extends TensorFile {
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
  const file = await checkedFile(path, () => openTensorFile(path));
  const history = file.kind === "safetensors" ? findHistoryTensor(file.tensors) : undefined;
  const kind = history && historyTensorNames.includes(history.name) ? "history" : kindsOfFiles[file.kind];
  return { ...file, kind };
}
