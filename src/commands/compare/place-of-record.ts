import type { ExactNumber } from "../../analysis/document-fields.js";
import type { Comparison } from "../../compare/compare.js";
import { count } from "../../text/count.js";
import { groupDigits } from "../../text/group-digits.js";

/** Where a difference between two recordings is, and how large it is. */
export function placeOfRecord(first: NonNullable<Comparison["history"][number]["first"]>): string {
  const { step, tensor, token, component } = first;
  return `step ${groupDigits(step)}, ${tensor}, token ${token}, component ${component}: ${both(first)}`;
}

/** Two values, and how far they are apart. */
export function both({ a, b, ulp }: { a: ExactNumber; b: ExactNumber; ulp: number | null }): string {
  return `${a} and ${b}${ulp === null ? "" : `, ${count(ulp, "ULP", "ULP")} apart`}`;
}
