/** A line of one run, over ascending steps. */
export interface SeedLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** Mean over seeds and the band of one standard deviation of the sample. */
export interface SeedBand {
  readonly x: number[];
  readonly mean: (number | null)[];
  readonly upper: (number | null)[];
  readonly lower: (number | null)[];
}

/** Mean and range of the lines of several seeds, at the steps that are recorded in all lines that reach them. Nothing is interpolated. */
export function bandOf(lines: readonly SeedLine[]): SeedBand {
  const records = lines.map(({ x, y }) => new Map(x.map((step, at) => [step, y[at] ?? null])));
  const reach = lines.map(({ x }) => x.at(-1) ?? Number.NEGATIVE_INFINITY);
  const steps = [...new Set(lines.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const x = steps.filter((step) => records.every((record, line) => step > (reach[line] ?? 0) || record.has(step)));
  const sums = x.map((step) => {
    const values = records.flatMap((record) => record.get(step) ?? []);
    if (values.length === 0) return { mean: null, sd: null };
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const sd = values.length < 2 ? null : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
    return { mean, sd };
  });
  const edge = (sign: number) => sums.map(({ mean, sd }) => (mean === null || sd === null ? null : mean + sign * sd));
  return { x, mean: sums.map(({ mean }) => mean), upper: edge(1), lower: edge(-1) };
}
