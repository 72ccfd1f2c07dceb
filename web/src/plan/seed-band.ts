/** A line of one run. */
export interface SeedLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** Mean over seeds and the band of one standard deviation of the sample, on a grid of steps. */
export interface SeedBand {
  readonly x: number[];
  readonly mean: (number | null)[];
  readonly upper: (number | null)[];
  readonly lower: (number | null)[];
}

/** Mean and range of the lines of several seeds; values that are not numbers are omitted. */
export function bandOf(lines: readonly SeedLine[], points = 400): SeedBand {
  const last = Math.max(0, ...lines.map(({ x }) => x.at(-1) ?? 0));
  const first = Math.min(last, ...lines.map(({ x }) => x[0] ?? 0));
  const count = Math.max(2, Math.min(points, last - first + 1));
  const x = [...new Set(Array.from({ length: count }, (_, at) => Math.round(first + ((last - first) * at) / (count - 1))))];
  const columns = lines.map((line) => x.map((step) => valueAt(line, step)));
  const sums = x.map((_, at) => {
    const values = columns.flatMap((column) => column[at] ?? []);
    if (values.length === 0) return { mean: null, sd: null };
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const sd = values.length < 2 ? null : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
    return { mean, sd };
  });
  const edge = (sign: number) => sums.map(({ mean, sd }) => (mean === null || sd === null ? null : mean + sign * sd));
  return { x, mean: sums.map(({ mean }) => mean), upper: edge(1), lower: edge(-1) };
}

/** A line between its points; null outside it. */
function valueAt({ x, y }: SeedLine, step: number): number | null {
  if (x.length === 0 || step < (x[0] ?? 0) || step > (x.at(-1) ?? 0)) return null;
  let low = 0;
  let high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= step) low = middle;
    else high = middle;
  }
  if (x[high] === step) low = high;
  const [from, to] = [y[low] ?? null, y[Math.min(low + 1, y.length - 1)] ?? null];
  const [start = 0, end = 0] = [x[low], x[Math.min(low + 1, x.length - 1)]];
  if (from === null || to === null || end === start) return from;
  return from + ((to - from) * (step - start)) / (end - start);
}
