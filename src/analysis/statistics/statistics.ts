import { z } from "zod";
import { percent, figure as shown } from "../../text/format.js";
import { defineAnalysis } from "../analysis.js";
import { count, figure } from "../document-fields.js";

/** The distribution of tokens over black holes; nulls if there are none. */
export interface PopulationStatistics {
  /** Black holes. */
  readonly n: number;
  /** Tokens in them. */
  readonly sum: number;
  readonly mean: number | null;
  readonly median: number | null;
  /** 2Σ i·x₍ᵢ₎/(nΣx) − (n+1)/n over ascending populations: 0 if all are equal. */
  readonly gini: number | null;
  /** Σ (x/Σx)²: 1 if there is one. */
  readonly herfindahl: number | null;
  /** Share of the largest 1, 2, 3, 5 and 10 black holes. */
  readonly topShare: Readonly<Record<"1" | "2" | "3" | "5" | "10", number | null>>;
}

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

const schema = z
  .strictObject({
    n: count,
    sum: count,
    mean: figure,
    median: figure,
    gini: figure,
    herfindahl: figure,
    topShare: z.strictObject({ "1": figure, "2": figure, "3": figure, "5": figure, "10": figure }),
  })
  .describe("Statistics of the populations of the last snapshot's black holes; nulls if there are none");

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
