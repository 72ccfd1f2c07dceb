import { BhBridgeError } from "../errors.js";
import type { History } from "./history.js";
import { itemSizes, Matrix } from "./matrix.js";

/**
 * One state of a history, `[tokens, dims]`.
 *
 * @throws {BhBridgeError} `USAGE` when the history has no such state; `FORMAT_UNSUPPORTED` when it has none at all; what reading it throws.
 */
export function readState(history: History, index: number): Matrix {
  const { dtype, tokens, dims, states, rowTokens } = history;
  if (states === 0) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${history.source} has no recorded state yet`);
  if (!Number.isInteger(index) || index < 0 || index >= states) {
    throw new BhBridgeError("USAGE", `${history.source} has the states 0 to ${states - 1}, not ${index}`);
  }
  const bytes = new Uint8Array(tokens * dims * itemSizes[dtype]);
  history.read(index, 1, bytes);
  return new Matrix(dtype, [tokens, dims], bytes, rowTokens);
}
