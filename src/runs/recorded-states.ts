import { formatInvalid } from "../formats/format-invalid.js";
import { readMatrix, type StoredTensor } from "../formats/stored-tensor.js";

/** A scalar beside a history: the index of the last state that has been recorded. */
export const stepsDoneName = "steps_done";

/**
 * How many states of a history have been recorded; nothing when its file does not say.
 *
 * @throws {BhBridgeError} `FORMAT_INVALID` when the file says what cannot be.
 */
export function recordedStates(tensors: readonly StoredTensor[], history: StoredTensor, path: string): number | undefined {
  const stepsDone = tensors.find((tensor) => tensor.name === stepsDoneName && tensor.file === history.file);
  if (!stepsDone) return undefined;
  const value = stepsDone.shape.length === 0 ? readMatrix(stepsDone).at(0, 0) : Number.NaN;
  const [planned = 0] = history.shape;
  if (Number.isInteger(value) && value >= 0 && value < planned) return value + 1;
  throw formatInvalid(path, stepsDone.rows().raw?.offset ?? 0, `${stepsDoneName} is ${value}, but the history has room for the states 0 to ${planned - 1}`);
}
