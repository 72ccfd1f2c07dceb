import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";

/**
 * A history that ends with one of its states; closing it closes the whole one.
 *
 * @throws {BhBridgeError} `USAGE` when the history has no such state.
 */
export function historyUntil(history: History, lastState: number): History {
  if (!Number.isInteger(lastState) || lastState < 0 || lastState >= history.states) {
    throw new BhBridgeError("USAGE", `${history.source} has the states 0 to ${history.states - 1}, not ${lastState}`);
  }
  const { source, dtype, tokens, dims, steps, rowTokens, raw } = history;
  return {
    source,
    dtype,
    states: lastState + 1,
    tokens,
    dims,
    ...(steps && { steps: steps.slice(0, lastState + 1) }),
    rowTokens,
    ...(raw && { raw }),
    read: (first, count, target) => history.read(first, count, target),
    close: () => history.close(),
  };
}
