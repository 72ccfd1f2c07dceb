import type { StoredTensor } from "../formats/stored-tensor.js";
import { recordedStates } from "./recorded-states.js";
import { ownTokens } from "./recorded-tokens.js";

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
