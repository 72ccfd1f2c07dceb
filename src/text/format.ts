/** A number with grouped digits: `265,905`. */
export function groupDigits(value: number): string {
  return value.toLocaleString("en");
}

/** A number with its noun: `1 merge`, `2 merges`, `10,000 entries`. */
export function count(value: number, thing: string, things: string = `${thing}s`): string {
  return `${groupDigits(value)} ${value === 1 ? thing : things}`;
}

/** A number in about five columns; a dash for a missing one. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 0.001 && size < 100_000 ? value.toPrecision(4) : value.toExponential(2);
}

/** A positive number with at least three digits and no exponent: `0.123`, `12.3`, `1,590`. */
export function threeDigits(value: number): string {
  return value >= 999.5 ? groupDigits(Math.round(value)) : value.toPrecision(3);
}

const units = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** A byte count such as `512 bytes`, `16.4 kB` or `778 MB`: three digits, powers of 1,000. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? count(value, "byte") : `${value.toPrecision(3)} ${units[unit]}`;
}

const maxRows = 12;

/** At most 12 numbers from `first` to `last`, evenly spread, including both. */
export function glance(first: number, last: number): number[] {
  const rows = Math.min(last - first + 1, maxRows);
  return Array.from({ length: rows }, (_, row) => Math.round(first + ((last - first) * row) / Math.max(rows - 1, 1)));
}

/** A share such as `12.5 %`; a dash for a missing one. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}

type Paint = (text: string) => string;

/** Text colours; each does nothing when colour is off. */
export interface TextColors {
  bold: Paint;
  cyan: Paint;
  dim: Paint;
  green: Paint;
  red: Paint;
  yellow: Paint;
}

/** A number with all its digits, as numpy writes it in a table. */
export function numberText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
