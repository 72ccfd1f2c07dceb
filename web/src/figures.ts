/** A number for people: whole ones with thin spaces, others with four significant digits. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "–";
    if (Number.isInteger(value)) return value.toLocaleString("en").replaceAll(",", "\u202f");
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(4)));
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** How the numbers of a column are written, all with as many decimals as the largest needs for four digits. */
export function alignedNumber(values: readonly (number | null)[]): (value: number | null) => string {
  const largest = Math.max(0, ...values.filter((value) => value !== null && Number.isFinite(value)).map((value) => Math.abs(value ?? 0)));
  const decimals = largest === 0 ? 0 : Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(largest))));
  return (value) => (value === null || !Number.isFinite(value) ? "–" : value.toFixed(decimals));
}

/** The difference of two numbers with its sign and as many decimals as they are written with, `±0` for none. */
export function difference(own: number, other: number): string {
  const value = own - other;
  if (value === 0) return "±0";
  const areWhole = Number.isInteger(own) && Number.isInteger(other);
  const size = areWhole ? shown(Math.abs(value)) : alignedNumber([own, other])(Math.abs(value));
  return `${value > 0 ? "+" : "−"}${size}`;
}

/** Seconds as `3 min 12 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Bytes as `1.2 MB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}
