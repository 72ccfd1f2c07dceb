/** How a spreadsheet recognizes a formula. */
const formulaStart = /^[=+\-@\t\r]/;
const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A value as a field of CSV (RFC 4180): numbers exact to their last digit, what is not there empty, quotes where they are needed.
 *
 * A text that a spreadsheet would execute as a formula gets an apostrophe before it.
 */
export function csvField(value: string | number | boolean | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  const inert = typeof value === "string" && formulaStart.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
