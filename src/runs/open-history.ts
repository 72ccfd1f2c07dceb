import { BhBridgeError } from "../errors.js";
import { isDirectory } from "../formats/file-bytes.js";
import { findTensor } from "../formats/find-tensor.js";
import { findHistoryTensor, type History, historyTensors, stepsOf } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { openTensorFile } from "../formats/open-tensor-file.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import { checkedFile } from "./checked-history.js";
import { historyLabels, type OwnLabels, ownLabels } from "./history-labels.js";
import { openRunHistories } from "./open-run-directory.js";

/**
 * A 3-D tensor `[states, tokens, dims]` as a history.
 * @param own labels in its file; states beyond the recorded ones are ignored.
 * @param close called once, when the history is closed.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for another number of dimensions; `FORMAT_INVALID` if its run contradicts it.
 */
export async function tensorHistory(tensor: StoredTensor, source: string, own: OwnLabels, close: () => void): Promise<History> {
  const [states, tokens, dims, ...more] = tensor.shape;
  if (states === undefined || tokens === undefined || dims === undefined || more.length > 0) {
    const shape = `[${tensor.shape.join(", ")}]`;
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `tensor "${tensor.name}" of ${source} is not a history: the shape is ${shape}, not [states, tokens, dims]`);
  }
  const rows = tensor.rows();
  const recorded = rows.raw?.checks?.crcs.length ?? own.states ?? states;
  const { steps, rowTokens } = await historyLabels(rows, tokens, own.tokens);
  const stateBytes = tokens * dims * itemSizes[rows.dtype];
  return {
    source,
    dtype: rows.dtype,
    states: recorded,
    tokens,
    dims,
    ...(steps && { steps }),
    rowTokens,
    ...(rows.raw ? { raw: rows.raw } : {}),
    read: (first, count, target) => rows.read(first * tokens, count * tokens, target.subarray(0, count * stateBytes)),
    close,
  };
}

/**
 * Open the history of a run directory, or of a file with a tensor `[states, tokens, dims]`. States after `steps_done`, if present, are ignored.
 * @param tensor name of the tensor (default: `embedding_history`, `W`, or the only tensor of three dimensions).
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND`, `FORMAT_UNSUPPORTED`, `FORMAT_INVALID`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `RUN_CORRUPT`, also when it is read,
 *   for what does not have its checksum.
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

/** The steps whose states a history has, in ascending order. @throws {BhBridgeError} as `openHistory`. */
export async function recordedSteps(directory: string): Promise<readonly number[]> {
  const history = await openHistory(directory);
  history.close();
  return stepsOf(history);
}

function noHistory(tensors: readonly StoredTensor[], path: string): BhBridgeError {
  const candidates = historyTensors(tensors).map((tensor) => `"${tensor.name}"`);
  const reason =
    candidates.length > 0
      ? `has several tensors of three dimensions; name one of ${candidates.join(", ")}`
      : "has no tensor of the shape [states, tokens, dims]";
  return new BhBridgeError("TENSOR_NOT_FOUND", `${path} ${reason}`);
}
