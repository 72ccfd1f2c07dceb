/** A line of a chart: rising x, and a y for each; NaN where there is none. */
export interface Line {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/**
 * A line of at most about `points` points that looks like the whole one: of each stretch the first and last point, the smallest and the largest stay, so
 * that no spike is lost. A short line stays as it is.
 */
export function reduceSeries({ x, y }: Line, points: number): { x: number[]; y: number[] } {
  const length = Math.min(x.length, y.length);
  if (length <= points) return { x: Array.from({ length }, (_, at) => x[at] ?? 0), y: Array.from({ length }, (_, at) => y[at] ?? Number.NaN) };
  const stretches = Math.max(Math.floor(points / 4), 1);
  const reduced = { x: [] as number[], y: [] as number[] };
  for (let stretch = 0; stretch < stretches; stretch++) {
    const start = Math.floor((stretch * length) / stretches);
    const end = Math.floor(((stretch + 1) * length) / stretches);
    for (const at of telling(y, start, end)) {
      reduced.x.push(x[at] ?? 0);
      reduced.y.push(y[at] ?? Number.NaN);
    }
  }
  return reduced;
}

/** The places from `start` to `end − 1` that a line may not lose, rising. */
function telling(y: ArrayLike<number>, start: number, end: number): number[] {
  let low = -1;
  let high = -1;
  for (let at = start; at < end; at++) {
    const value = y[at] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    if (low < 0 || value < (y[low] ?? 0)) low = at;
    if (high < 0 || value > (y[high] ?? 0)) high = at;
  }
  return [...new Set([start, low, high, end - 1])].filter((at) => at >= start).sort((a, b) => a - b);
}
