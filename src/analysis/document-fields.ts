import { z } from "zod";

/** A whole number of things. */
export const count = z.int().nonnegative();
/** Null stands for NaN and infinity, which JSON does not have; `notes` explain them. */
export const figure = z.number().nullable();
export const counts = z.array(count).readonly();
export const figures = z.array(figure).readonly();
/** A step or null for each token. */
export const steps = z.array(z.int().positive().nullable()).readonly();

/** `Value` with every number nullable. */
type JsonFigures<Value> = Value extends number
  ? number | null
  : Value extends readonly (infer Item)[]
    ? readonly JsonFigures<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: JsonFigures<Value[Key]> }
      : Value;

/** A copy with null in place of NaN and infinity, as in JSON. */
export function jsonFigures<Value>(value: Value): JsonFigures<Value>;
export function jsonFigures(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map((item) => jsonFigures(item));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonFigures(item)]));
  return value;
}

/** A number in a document; text for the numbers that JSON lacks. */
export const exactNumberSchema = z.union([z.number(), z.literal(["NaN", "Infinity", "-Infinity", "-0"])]);
export type ExactNumber = z.output<typeof exactNumberSchema>;

/** A number as it is stored in a document without loss: JSON has neither NaN nor infinity, and writes −0 as 0. */
export function exactNumber(value: number): ExactNumber {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : (String(value) as ExactNumber);
}

/** The fields of a `Census` in a document. */
export const censusShape = {
  rows: count,
  unique: count,
  C: count,
  P: count,
  populations: counts,
  members: z.array(counts).readonly(),
  texts: z.array(z.array(z.string().nullable()).readonly()).readonly().optional(),
};

/** The distribution of whole numbers. */
export const distributionSchema = z.strictObject({
  n: count.describe("Number of values"),
  min: figure,
  max: figure,
  mean: figure,
  sd: figure.describe("Standard deviation, divided by n"),
  median: figure,
  counts: z
    .array(z.tuple([count, count]))
    .readonly()
    .describe("Each distinct value, ascending, with its frequency"),
});
type Distribution = z.output<typeof distributionSchema>;

/** Counts the frequencies of whole numbers. */
export class Counts {
  readonly #counts = new Map<number, number>();

  add(value: number): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  /** Their distribution; nulls if there are none. The median of an even number of values is the mean of the middle two. */
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
