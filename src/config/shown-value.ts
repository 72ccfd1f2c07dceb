import { inspect } from "node:util";

/** Longest value that a message repeats in full. */
const longestShownValue = 60;

/** A value as a message repeats it, shortened where it is long. */
export function shownValue(value: unknown): string {
  // A caller of the API can give what JSON does not know: a function, NaN, a big integer.
  const isJson = typeof value === "object" || typeof value === "string" || typeof value === "boolean";
  const text = isJson ? JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}` : part)) : inspect(value);
  if (text.length <= longestShownValue) return text;
  return `${text.slice(0, longestShownValue)}…${typeof value === "string" ? ` (${value.length} characters)` : ""}`;
}
