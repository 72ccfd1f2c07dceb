/** The states that a figure of a few moments shows: the first, those after some shares of the training (a hundredth and a tenth), and the last. */
export function chosenStates(states: number, shares: readonly number[] = [0.01, 0.1]): number[] {
  const last = states - 1;
  return [...new Set([0, ...shares.map((share) => Math.round(last * share)), last])];
}
