import { groupDigits } from "./group-digits.js";

/** So many things, in English: `1 merge`, `2 merges`, `10,000 entries`. */
export function count(value: number, thing: string, things: string = `${thing}s`): string {
  return `${groupDigits(value)} ${value === 1 ? thing : things}`;
}
