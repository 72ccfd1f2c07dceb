/**
 * In how many tokens something has not yet ended: entry i counts those whose last step is i + 1 or later.
 *
 * @param lastSteps per token, a step numbered from 1, or 0 for never.
 */
export function tokensUntil(lastSteps: Int32Array, steps: number): number[] {
  const endings = new Int32Array(steps + 1);
  for (const step of lastSteps) endings[step] = (endings[step] ?? 0) + 1;
  const counts = new Array<number>(steps).fill(0);
  let left = lastSteps.length - (endings[0] ?? 0);
  for (let step = 1; step <= steps; step++) {
    counts[step - 1] = left;
    left -= endings[step] ?? 0;
  }
  return counts;
}

/** A last step as it is reported: null when there is none. */
export function stepOrNull(step: number): number | null {
  return step === 0 ? null : step;
}

/** For each token the later of two last steps. */
export function laterSteps(first: Int32Array, second: Int32Array): Int32Array {
  return first.map((step, token) => Math.max(step, second[token] ?? 0));
}
