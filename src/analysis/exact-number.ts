import { z } from "zod";

/** A number in a document; those that JSON lacks are text. */
export const exactNumberSchema = z.union([z.number(), z.literal(["NaN", "Infinity", "-Infinity", "-0"])]);
export type ExactNumber = z.output<typeof exactNumberSchema>;

/** A number as a document holds it, without taking another one for it: JSON has neither NaN nor infinity, and would write −0 as 0. */
export function exactNumber(value: number): ExactNumber {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : (String(value) as ExactNumber);
}
