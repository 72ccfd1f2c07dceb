/** A line as two lists; null is a gap. */
interface Line {
  x: readonly number[];
  y: readonly (number | null)[];
}

/**
 * A line with fewer points that looks the same: of each stretch its first, lowest, highest and last point stay, so that no spike is lost.
 *
 * @param limit points at most, about; a shorter line is as it was.
 */
export function reduceSeries({ x, y }: Line, limit: number): { x: number[]; y: (number | null)[] } {
  if (x.length <= limit) return { x: [...x], y: [...y] };
  const stretches = Math.max(1, Math.floor(limit / 4));
  const kept: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * x.length) / stretches);
    const to = Math.floor(((stretch + 1) * x.length) / stretches);
    kept.push(...tellingPoints(y, from, to));
  }
  return { x: kept.map((index) => x[index] ?? 0), y: kept.map((index) => y[index] ?? null) };
}

/** Ascending, each once. */
function tellingPoints(y: readonly (number | null)[], from: number, to: number): number[] {
  let lowest = from;
  let highest = from;
  let gap: number | undefined;
  for (let index = from; index < to; index++) {
    const value = y[index];
    if (value === null || value === undefined) gap ??= index;
    else {
      if (value < (y[lowest] ?? Number.POSITIVE_INFINITY)) lowest = index;
      if (value > (y[highest] ?? Number.NEGATIVE_INFINITY)) highest = index;
    }
  }
  return [...new Set([from, lowest, highest, to - 1, ...(gap === undefined ? [] : [gap])])].sort((a, b) => a - b);
}
