import { deviationsPerMedian, median as medianOf } from "../statistics/statistics.js";
import type { IndicatorName, RowIndicators } from "./row-indicators.js";
import { indicatorNames } from "./row-indicators.js";

/** The limit below which a row looks unused. */
export interface Threshold {
  readonly indicator: IndicatorName;
  readonly value: number;
  readonly how: string;
}

/** Deviations of unused rows that the limit allows. */
const allowed = 6;
/** Smallest deviation, relative to the distance to the median of all other rows: unused rows may all be equal. */
const smallestSpread = 1e-3;

function spreadOf(values: ArrayLike<number>, median: number): number {
  return deviationsPerMedian * medianOf(Float64Array.from(values, (value) => Math.abs(value - median)));
}

/**
 * The threshold of the indicator that separates the unused rows best: by the distance of the medians of unused and other rows, in units of their spreads.
 *
 * A row outside a mean of n rows is further from it than those inside, by (n + 1)/(n − 1) in squared distance, which the limit allows for.
 * @returns undefined if no indicator separates them.
 */
export function chooseThreshold({ all, reference }: Pick<RowIndicators, "all" | "reference">): Threshold | undefined {
  const inReference = new Set(reference);
  const n = reference.length;
  const scored = indicatorNames.flatMap((indicator) => {
    const values = all[indicator];
    const unused = reference.map((row) => values[row] ?? Number.NaN);
    const others = values.filter((value, row) => !inReference.has(row) && Number.isFinite(value));
    const [median, otherMedian] = [medianOf(unused), medianOf(others)];
    const spread = Math.max(spreadOf(unused, median), smallestSpread * (otherMedian - median));
    const widening = n < 2 || indicator === "norm" ? 1 : ((n + 1) / (n - 1)) ** (indicator === "l2" ? 0.5 : 1);
    const value = (median + allowed * spread) * widening;
    const separation = (otherMedian - median) / (spread + spreadOf(others, otherMedian));
    return value < (median + otherMedian) / 2 ? [{ indicator, value, median, spread, separation }] : [];
  });
  const best = scored.sort((a, b) => b.separation - a.separation)[0];
  if (!best) return undefined;
  const { indicator, value, median, spread, separation } = best;
  const how = `${indicator} separates the ${n} unused rows best from the others (their medians are ${separation.toPrecision(3)} deviations apart); the threshold is the median ${median.toPrecision(4)} of the unused rows plus ${allowed} deviations of ${spread.toPrecision(3)} (1.4826 times the median absolute deviation)${n < 2 ? "" : `, for rows outside their mean`}`;
  return { indicator, value, how };
}
