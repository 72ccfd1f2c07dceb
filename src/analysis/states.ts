import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";

/** At most `most` evenly spread states, with the first and the last. */
export function spreadStates(states: number, most: number): number[] {
  const count = Math.min(states, most);
  return Array.from({ length: count }, (_, index) => Math.round((index * (states - 1)) / Math.max(1, count - 1)));
}

/** A history cut after one of its states; closing it closes the original. @throws {BhBridgeError} `USAGE` if there is no such state. */
export function historyUntil(history: History, lastState: number): History {
  if (!Number.isInteger(lastState) || lastState < 0 || lastState >= history.states) {
    throw new BhBridgeError("USAGE", `${history.source} has the states 0 to ${history.states - 1}, not ${lastState}`);
  }
  const { source, dtype, tokens, dims, steps, rowTokens, raw } = history;
  return {
    ...{ source, dtype, states: lastState + 1, tokens, dims, rowTokens },
    ...(steps && { steps: steps.slice(0, lastState + 1) }),
    ...(raw && { raw }),
    read: (first, count, target) => history.read(first, count, target),
    close: () => history.close(),
  };
}

/** The states of figures that show a few moments: the first, those after some shares of the training, and the last. */
export function chosenStates(states: number, shares: readonly number[] = [0.01, 0.1]): number[] {
  const last = states - 1;
  return [...new Set([0, ...shares.map((share) => Math.round(last * share)), last])];
}
