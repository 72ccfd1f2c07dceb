/**
 * Edges of bins of equal width (on a logarithmic scale: of equal ratio) over all values; zeros and negative values have no place on a logarithmic one.
 * @returns `bins + 1` ascending edges; two around a single value, none without a value.
 */
export function binEdges(values: readonly number[], bins: number, scale: "linear" | "log"): number[] {
  const placed = scale === "log" ? values.filter((value) => value > 0).map(Math.log) : values;
  if (placed.length === 0) return [];
  const low = placed.reduce((least, value) => Math.min(least, value));
  const high = placed.reduce((most, value) => Math.max(most, value));
  const back = scale === "log" ? Math.exp : (value: number) => value;
  if (low === high) {
    const room = Math.abs(low) * 0.05 || 0.5;
    return [back(low - room), back(low + room)];
  }
  // The exact values at both ends: rounding must not exclude one.
  const inner = Array.from({ length: bins - 1 }, (_, edge) => back(low + ((high - low) * (edge + 1)) / bins));
  const shown = scale === "log" ? values.filter((value) => value > 0) : values;
  return [shown.reduce((least, value) => Math.min(least, value)), ...inner, shown.reduce((most, value) => Math.max(most, value))];
}

/** Number of values in each bin. A value on an edge is in the upper bin, except on the last edge. */
export function countsIn(values: readonly number[], edges: readonly number[]): number[] {
  const bins = Math.max(0, edges.length - 1);
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    if (bins === 0 || value < (edges[0] ?? 0) || value > (edges[bins] ?? 0)) continue;
    const above = edges.findIndex((edge) => edge > value);
    const bin = above < 0 ? bins - 1 : above - 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** The share of values that are at most x, as a step function from the first edge to the last. */
export function cumulativeShare(values: readonly number[], edges: readonly number[]): { x: number[]; y: number[] } {
  const [first = 0, last = first] = [edges[0], edges.at(-1)];
  const ascending = [...values].sort((a, b) => a - b);
  const below = ascending.filter((value) => value < first).length;
  const x = [first];
  const y = [below / values.length];
  for (const [index, value] of ascending.entries()) {
    if (value < first || value === ascending[index + 1]) continue;
    x.push(value);
    y.push((index + 1) / values.length);
  }
  return { x: [...x, last], y: [...y, 1] };
}
