import { readMatrix, type StoredTensor } from "../formats/stored-tensor.js";
import { recordedStates } from "./recorded-states.js";

/** What was recorded later can be of other rows than the run's own history: their tokens stand beside its states, `[rows]` in I64. */
export const ownTokensName = "tokens";

/** The tokens that the file of a history itself names, row by row; nothing when it does not. */
function ownTokens(tensors: readonly StoredTensor[], history: StoredTensor): readonly number[] | undefined {
  const found = tensors.find(({ name, file, dtype, shape }) => name === ownTokensName && file === history.file && dtype === "I64" && shape.length === 1);
  return found && found.shape[0] === history.shape[1] ? [...readMatrix(found).toFloat64()] : undefined;
}

/** What the file of a history says of it beside its states. */
export interface OwnLabels {
  /** How many have been recorded. */
  readonly states?: number | undefined;
  /** The token of each row. */
  readonly tokens?: readonly number[] | undefined;
}

/** The labels of a history among the tensors of its file. @throws {BhBridgeError} `FORMAT_INVALID` when they say what cannot be. */
export function ownLabels(tensors: readonly StoredTensor[], history: StoredTensor, path: string): OwnLabels {
  return { states: recordedStates(tensors, history, path), tokens: ownTokens(tensors, history) };
}
