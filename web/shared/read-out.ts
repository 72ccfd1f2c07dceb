/** A line over the steps, in ascending order; null is a gap. */
export interface ReadLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** A recorded value and the step of its record. */
export interface ReadOut {
  readonly step: number;
  readonly value: number;
}

/** Index of the last entry of an ascending list that is not above a value; −1 if there is none. */
export function lastUpTo(x: readonly (number | null)[], value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The last recorded value up to a step. Values between records are never interpolated. */
export function readOut({ x, y }: ReadLine, step: number): ReadOut | undefined {
  for (let at = lastUpTo(x, step); at >= 0; at--) {
    const value = y[at];
    if (value !== null && value !== undefined) return { step: x[at] ?? 0, value };
  }
  return undefined;
}
