import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";

/** At most `most` states, evenly spread, the first and the last among them. */
export function spreadStates(states: number, most: number): number[] {
  const count = Math.min(states, most);
  return Array.from({ length: count }, (_, index) => Math.round((index * (states - 1)) / Math.max(1, count - 1)));
}

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

/** The states that a figure of a few moments shows: the first, those after some shares of the training (a hundredth and a tenth), and the last. */
export function chosenStates(states: number, shares: readonly number[] = [0.01, 0.1]): number[] {
  const last = states - 1;
  return [...new Set([0, ...shares.map((share) => Math.round(last * share)), last])];
}
