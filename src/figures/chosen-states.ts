/** The states that a figure of a few moments shows: the first, those after some shares of the training (a hundredth and a tenth), and the last. */
export function chosenStates(states: number, shares: readonly number[] = [0.01, 0.1]): number[] {
  const last = states - 1;
  return [...new Set([0, ...shares.map((share) => Math.round(last * share)), last])];
}

/** At most `most` states, evenly spread, the first and the last among them. */
export function spreadStates(states: number, most: number): number[] {
  const count = Math.min(states, most);
  return Array.from({ length: count }, (_, index) => Math.round((index * (states - 1)) / Math.max(1, count - 1)));
}
