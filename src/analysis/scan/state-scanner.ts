import type { Dtype } from "../../formats/matrix.js";

/** What is told of each state, in the order in which scanners and kernels store it. The last six compare it with the state before. */
export const timelineFields = ["unique", "C", "P", "largest", "fissions", "splits", "merges", "joins", "escapes", "captures"] as const;

/** What a scanner has seen so far, over all its states. */
export interface Sightings {
  /** Some component was not 0. */
  readonly nonzero: boolean;
  /** Some component was finite. */
  readonly finite: boolean;
  /** Some component changed from one state to the next, and was a number in both. */
  readonly moved: boolean;
  /** One byte a token: 1 when it has held NaN or infinity. */
  readonly nonfiniteTokens: Uint8Array;
}

/**
 * Finds the classes of the states of a history, chunk by chunk, and compares them from state to state.
 *
 * A chunk is read into `states`, scanned, looked at by others, and given up by `carry`, which keeps its last state as the one before the next chunk.
 */
export interface StateScanner {
  /** Memory of the first `count` states of a chunk. After `scan`, −0 may have become 0 in it. */
  states(count: number): Uint8Array;
  /** Memory of the state before the chunk. */
  previous(): Uint8Array;
  /** Scan the first `count` states; `timelineFields` values for each. The comparing ones are 0 for the first state of all. */
  scan(count: number): Int32Array;
  carry(count: number): void;
  sightings(): Sightings;
}

/** What a scanner has to know of a history. */
export interface StateShape {
  readonly dtype: Dtype;
  readonly tokens: number;
  readonly dims: number;
}
