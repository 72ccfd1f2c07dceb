import { timelineFields } from "./state-scanner.js";

/** `timelineFields` of each state, one state after the other. */
export type CountsTable = Uint16Array | Int32Array;

/**
 * A table for so many states, in memory that worker threads can share. What is counted are tokens, or sets of them: no number is larger than `tokens`, and
 * for most histories two bytes will do.
 */
export function countsTable(states: number, tokens: number): CountsTable {
  const numbers = states * timelineFields.length;
  if (tokens > 0xffff) return new Int32Array(new SharedArrayBuffer(numbers * Int32Array.BYTES_PER_ELEMENT));
  return new Uint16Array(new SharedArrayBuffer(numbers * Uint16Array.BYTES_PER_ELEMENT));
}
