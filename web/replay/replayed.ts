import { lastUpTo } from "../shared/read-out.js";
import type { BasisDocument, RowPathDocument } from "../src/documents.js";
import type { HoleMarks } from "./holes.js";

/** The words of a state, `[tokens, dims]`. */
export type StateBits = Uint16Array | Uint32Array;

/** A history as a replay shows it. Its rows are those that the run recorded or, in a report, their positions in a view of two dimensions. */
export interface ReplayedHistory {
  readonly id: string;
  readonly states: number;
  readonly tokens: number;
  readonly dims: number;
  readonly dtype: string;
  /** The training step of each state; null when state i is step i. */
  readonly steps: readonly number[] | null;
  /** Rows of tokens that are not in the training text. */
  readonly dead: readonly number[];
}

/** The states of a history, which may arrive later. */
export interface ReplayedStates {
  /** A state, if it is here. */
  state(index: number): StateBits | undefined;
  /** Call a function when states have arrived. @returns a function that ends this. */
  listen(arrived: () => void): () => void;
  /** The equal rows of a state. */
  holesOf(index: number, bits: StateBits): HoleMarks;
}

/** Directions of view, fixed for the whole training. */
export type ReplayedBasis = Omit<BasisDocument, "schema">;

/** Positions of a row along these directions. */
export type ReplayedPath = Omit<RowPathDocument, "schema">;

/** The last recorded state that is not after a step. */
export function stateOfStep(steps: readonly number[] | null, step: number, count: number): number {
  return Math.max(0, Math.min(count - 1, steps ? lastUpTo(steps, step) : Math.round(step)));
}
