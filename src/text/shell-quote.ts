import { printable } from "./printable.js";

/** A word as a shell takes it: as it is when it is harmless, else in single quotes. */
export function shellQuote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${printable(word, Number.POSITIVE_INFINITY).replaceAll("'", `'\\''`)}'`;
}
