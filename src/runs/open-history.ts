import { BhBridgeError } from "../errors.js";
import { isDirectory } from "../formats/file-bytes.js";
import { findTensor } from "../formats/find-tensor.js";
import type { History } from "../formats/history.js";
import { findHistoryTensor, historyTensors } from "../formats/history-tensor.js";
import { openTensorFile } from "../formats/open-tensor-file.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import { checkedFile } from "./checked-history.js";
import { openRunHistories } from "./open-run-directory.js";
import { ownLabels } from "./own-labels.js";
import { tensorHistory } from "./tensor-history.js";

/**
 * Open the history of a run directory, or of a file with a tensor `[states, tokens, dims]`.
 *
 * The states after `steps_done`, where the file has one, do not count.
 *
 * @param tensor the tensor's name; by default `embedding_history`, `W`, or the only one of three dimensions.
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND`, `FORMAT_UNSUPPORTED`, `FORMAT_INVALID`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `RUN_CORRUPT`, also when it is
 *   read, for what does not have its checksum.
 */
export async function openHistory(path: string, tensor?: string): Promise<History> {
  const opened = isDirectory(path) ? openRunHistories(path) : await checkedFile(path, () => openTensorFile(path));
  try {
    const found = tensor === undefined ? findHistoryTensor(opened.tensors) : findTensor(opened.tensors, tensor, path);
    if (!found) throw noHistory(opened.tensors, path);
    return await tensorHistory(found, path, ownLabels(opened.tensors, found, path), () => opened.close());
  } catch (error) {
    opened.close();
    throw error;
  }
}

function noHistory(tensors: readonly StoredTensor[], path: string): BhBridgeError {
  const candidates = historyTensors(tensors).map((tensor) => `"${tensor.name}"`);
  const reason =
    candidates.length > 0
      ? `has several tensors of three dimensions; name one of ${candidates.join(", ")}`
      : "has no tensor of the shape [states, tokens, dims]";
  return new BhBridgeError("TENSOR_NOT_FOUND", `${path} ${reason}`);
}
