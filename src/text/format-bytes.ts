import { count } from "./count.js";

const units = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** A number of bytes as `512 bytes`, `16.4 kB` or `778 MB`: three digits, powers of 1,000. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? count(value, "byte") : `${value.toPrecision(3)} ${units[unit]}`;
}
