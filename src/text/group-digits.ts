/** A number as people read it: `265,905`. */
export function groupDigits(value: number): string {
  return value.toLocaleString("en");
}
