import { z } from "zod";
import { wholeRange } from "./whole-range.js";

/** Any value that JSON can hold. */
export const jsonValueSchema = z.json();

/** `[first, last, count]`: both ends included. */
const span = z.tuple([z.number(), z.number(), z.int().min(2).max(100_000)]);

const wholeRangeSchema = z
  .string()
  .refine((text) => wholeRange(text) !== undefined, { error: 'is not a range of whole numbers, for example "42..51"' })
  .meta({ pattern: "^\\s*-?\\d{1,15}\\s*\\.\\.\\s*-?\\d{1,15}\\s*$" });

/** The values of one axis, as they are written. */
export const axisSchema = z
  .union(
    [
      z.array(jsonValueSchema).min(1),
      wholeRangeSchema,
      z.strictObject({ linspace: span.describe("[first, last, count], evenly spaced, both ends included.") }),
      z.strictObject({
        logspace: span
          .refine(([first, last]) => first > 0 && last > 0, { error: "both ends of a logspace are above 0" })
          .describe("[first, last, count], evenly spaced by ratio, both ends included."),
      }),
    ],
    { error: "expected a list of values, a range of whole numbers (42..51), {linspace: [first, last, count]} or {logspace: [first, last, count]}" },
  )
  .describe("A list of values, a range of whole numbers (42..51), {linspace: [first, last, count]} or {logspace: [first, last, count]}.");

/** The values of one axis: a list, a range of whole numbers, or a number of points evenly spaced between two ends by difference or by ratio. */
type Axis = z.output<typeof axisSchema>;

/** Digits that a computed point keeps: enough to tell points apart, few enough that 1e-5 is written so. */
const pointDigits = 12;

/** The values of an axis, in its order. */
export function axisValues(axis: Axis): z.core.util.JSONType[] {
  if (Array.isArray(axis)) return axis;
  if (typeof axis === "string") return wholeRange(axis) ?? [];
  if ("linspace" in axis) return points(axis.linspace, (first, last, share) => first + (last - first) * share);
  return points(axis.logspace, (first, last, share) => first * (last / first) ** share);
}

function points([first, last, count]: [number, number, number], at: (first: number, last: number, share: number) => number): number[] {
  const between = (index: number) => Number(at(first, last, index / (count - 1)).toPrecision(pointDigits));
  return Array.from({ length: count }, (_, index) => (index === 0 ? first : index === count - 1 ? last : between(index)));
}
