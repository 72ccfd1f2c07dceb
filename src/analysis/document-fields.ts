import { z } from "zod";

/** A number of things. */
export const count = z.int().nonnegative();
/** JSON has no NaN and no infinity: both are null, and `notes` say where they come from. */
export const figure = z.number().nullable();
export const counts = z.array(count).readonly();
export const figures = z.array(figure).readonly();
/** A step for each token; null where there is none. */
export const steps = z.array(z.int().positive().nullable()).readonly();

/** A structure in which every number may be null. */
type JsonFigures<Value> = Value extends number
  ? number | null
  : Value extends readonly (infer Item)[]
    ? readonly JsonFigures<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: JsonFigures<Value[Key]> }
      : Value;

/** A copy in which NaN and infinities are null, as JSON would have them. */
export function jsonFigures<Value>(value: Value): JsonFigures<Value>;
export function jsonFigures(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map((item) => jsonFigures(item));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonFigures(item)]));
  return value;
}

/** A number in a document; those that JSON lacks are text. */
export const exactNumberSchema = z.union([z.number(), z.literal(["NaN", "Infinity", "-Infinity", "-0"])]);
export type ExactNumber = z.output<typeof exactNumberSchema>;

/** A number as a document holds it, without taking another one for it: JSON has neither NaN nor infinity, and would write −0 as 0. */
export function exactNumber(value: number): ExactNumber {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : (String(value) as ExactNumber);
}

/** The fields of a `Census` in a document. */
export const censusShape = {
  /** Rows that were looked at. */
  rows: count,
  /** Distinct values among them. */
  unique: count,
  /** Black holes: values that two or more rows share. */
  C: count,
  /** Rows in black holes. */
  P: count,
  /** Rows in each black hole, descending. */
  populations: counts,
  /** Tokens in each black hole, in the order of `populations`, ascending. */
  members: z.array(counts).readonly(),
  /** How these tokens are written, null for one without a text; absent where the vocabulary is not known. */
  texts: z.array(z.array(z.string().nullable()).readonly()).readonly().optional(),
};

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
type Distribution = z.output<typeof distributionSchema>;

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
