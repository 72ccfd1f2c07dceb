import { z } from "zod";
import { count, figure } from "./figure-schemas.js";

/** How whole numbers are distributed. */
export const distributionSchema = z.strictObject({
  n: count.describe("How many numbers there are"),
  min: figure,
  max: figure,
  mean: figure,
  sd: figure.describe("Standard deviation, divided by n"),
  median: figure,
  counts: z
    .array(z.tuple([count, count]))
    .readonly()
    .describe("Each number that there is, ascending, and how often it is there"),
});
export type Distribution = z.output<typeof distributionSchema>;

/** Whole numbers as they are counted. */
export class Counts {
  readonly #counts = new Map<number, number>();

  add(value: number): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  /** Nulls where there is no number. The median of an even number of them is the mean of the middle two. */
  distribution(): Distribution {
    const counts = [...this.#counts].sort(([a], [b]) => a - b);
    const n = counts.reduce((sum, [, times]) => sum + times, 0);
    if (n === 0) return { n, min: null, max: null, mean: null, sd: null, median: null, counts };
    const mean = counts.reduce((sum, [value, times]) => sum + value * times, 0) / n;
    const variance = counts.reduce((sum, [value, times]) => sum + times * (value - mean) ** 2, 0) / n;
    const at = (position: number): number => {
      let after = position;
      for (const [value, times] of counts) {
        if (after < times) return value;
        after -= times;
      }
      return 0;
    };
    const median = (at(Math.floor((n - 1) / 2)) + at(Math.floor(n / 2))) / 2;
    return { n, min: at(0), max: at(n - 1), mean, sd: Math.sqrt(variance), median, counts };
  }
}
