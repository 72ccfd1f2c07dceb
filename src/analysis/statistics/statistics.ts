import { z } from "zod";
import { percent, figure as shown } from "../../text/format.js";
import { defineAnalysis } from "../analysis.js";
import { count, figure } from "../document-fields.js";

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

const schema = z
  .strictObject({
    /** Black holes. */
    n: count,
    /** Tokens in them. */
    sum: count,
    mean: figure,
    median: figure,
    /** 2Σ i·x₍ᵢ₎/(nΣx) − (n+1)/n over ascending populations: 0 if all are equal. */
    gini: figure,
    /** Σ (x/Σx)²: 1 if there is one. */
    herfindahl: figure,
    /** Share of the largest 1, 2, 3, 5 and 10 black holes. */
    topShare: z.strictObject({ "1": figure, "2": figure, "3": figure, "5": figure, "10": figure }),
  })
  .describe("Statistics of the populations of the last snapshot's black holes; nulls if there are none");
/** The distribution of tokens over black holes; nulls if there are none. */
export type PopulationStatistics = Readonly<z.output<typeof schema>>;

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The median; NaN for no values. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN) + (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)) / 2;
}

/** Standard deviations of a normal distribution per median absolute deviation. */
export const deviationsPerMedian = 1.4826;

/** Statistics of the populations of black holes, in any order. */
export function populationStatistics(populations: readonly number[]): PopulationStatistics {
  const n = populations.length;
  const ascending = [...populations].sort((a, b) => a - b);
  const sum = total(ascending);
  const share = (count: string): number | null => (n === 0 ? null : total(ascending.slice(-Number(count))) / sum);
  const topShare = { "1": share("1"), "2": share("2"), "3": share("3"), "5": share("5"), "10": share("10") };
  if (n === 0) return { n, sum, mean: null, median: null, gini: null, herfindahl: null, topShare };
  const ranked = total(ascending.map((population, index) => (index + 1) * population));
  return {
    n,
    sum,
    mean: sum / n,
    median: median(ascending),
    gini: (2 * ranked) / (n * sum) - (n + 1) / n,
    herfindahl: total(ascending.map((population) => (population / sum) ** 2)),
    topShare,
  };
}

/** The distribution of the last state's tokens over its black holes. */
export const statisticsAnalysis = defineAnalysis({
  name: "statistics",
  schema,
  finish: ({ finalCensus }) => populationStatistics(finalCensus.populations),
  title: "Statistics of its populations",
  print({ n, mean, median, gini, herfindahl, topShare }) {
    if (n === 0) return ["There are no black holes."];
    return [`mean ${shown(mean)}, median ${shown(median)}, Gini ${shown(gini)}, Herfindahl ${shown(herfindahl)}, largest ${percent(topShare["1"])}`];
  },
});
