/** A value as a field of CSV (RFC 4180): numbers exact to their last digit, what is not there empty, quotes where they are needed. */
export function csvField(value: string | number | boolean | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
