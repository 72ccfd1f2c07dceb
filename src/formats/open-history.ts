import { statSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { openError } from "./file-bytes.js";
import { findTensor } from "./find-tensor.js";
import { formatInvalid } from "./format-invalid.js";
import type { History } from "./history.js";
import { openTensorFile } from "./open-tensor-file.js";
import { readMatrix, type StoredTensor } from "./stored-tensor.js";
import { tensorHistory } from "./tensor-history.js";

/** The file of a run directory that holds its embedding history. */
export const historyFileName = "history.safetensors";
/** Names under which histories are saved: by the recorder and the notebook, and in HDF5 trajectories. */
export const historyTensorNames: readonly string[] = ["embedding_history", "W"];
/** A scalar beside the history: the index of the last state that has been recorded. */
const stepsDoneName = "steps_done";

/**
 * Open the history of a run directory, or of a file with a tensor `[states, tokens, dims]`.
 *
 * The states after `steps_done`, where the file has one, do not count.
 *
 * @param tensor the tensor's name; by default `embedding_history`, `W`, or the only one of three dimensions.
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND`, `FORMAT_UNSUPPORTED`, `FORMAT_INVALID`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`.
 */
export async function openHistory(path: string, tensor?: string): Promise<History> {
  const filePath = isDirectory(path) ? join(path, historyFileName) : path;
  const file = await openTensorFile(filePath);
  try {
    const found = tensor === undefined ? historyTensor(file.tensors, path) : findTensor(file.tensors, tensor, path);
    return tensorHistory(found, path, recordedStates(file.tensors, found, filePath), () => file.close());
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether the path is a directory. @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw openError(path, cause);
  }
}

function historyTensor(tensors: readonly StoredTensor[], source: string): StoredTensor {
  const candidates = tensors.filter((tensor) => tensor.shape.length === 3);
  const named = candidates.find((tensor) => historyTensorNames.includes(tensor.name));
  if (named) return named;
  const [only, ...more] = candidates;
  if (only && more.length === 0) return only;
  const reason = only
    ? `has several tensors of three dimensions; name one of ${candidates.map((tensor) => `"${tensor.name}"`).join(", ")}`
    : "has no tensor of the shape [states, tokens, dims]";
  throw new BhBridgeError("TENSOR_NOT_FOUND", `${source} ${reason}`);
}

function recordedStates(tensors: readonly StoredTensor[], history: StoredTensor, path: string): number | undefined {
  const stepsDone = tensors.find((tensor) => tensor.name === stepsDoneName);
  if (!stepsDone) return undefined;
  const value = stepsDone.shape.length === 0 ? readMatrix(stepsDone).at(0, 0) : Number.NaN;
  const [planned = 0] = history.shape;
  if (Number.isInteger(value) && value >= 0 && value < planned) return value + 1;
  throw formatInvalid(path, stepsDone.rows().raw?.offset ?? 0, `${stepsDoneName} is ${value}, but the history has room for the states 0 to ${planned - 1}`);
}
