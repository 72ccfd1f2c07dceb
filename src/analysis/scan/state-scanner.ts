import { type Dtype, itemSizes } from "../../formats/matrix.js";
import { rowClasses, selectRows } from "../census/census.js";
import { canonicalize } from "../census/row-hashes.js";
import { rowValues } from "../census/row-values.js";
import { decodeElements } from "../elements.js";
import { kernelKind, loadKernels } from "../kernels/load-kernels.js";
import { type ClassChanges, classChanges, classCounts } from "../timeline/class-changes.js";

/** Results of each state, in the order in which scanners and kernels store them. The last six compare it with the previous state. */
export const timelineFields = ["unique", "C", "P", "largest", "fissions", "splits", "merges", "joins", "escapes", "captures"] as const;

/** Properties of all states scanned so far. */
export interface Sightings {
  /** Some component was not 0. */
  readonly nonzero: boolean;
  /** Some component was finite. */
  readonly finite: boolean;
  /** Some component changed from one state to the next, and was a number in both. */
  readonly moved: boolean;
  /** One byte per token: 1 if it has held NaN or infinity. */
  readonly nonfiniteTokens: Uint8Array;
}

/**
 * Classifies the rows of a history's states, chunk by chunk, and compares them from state to state. After each chunk, `carry` makes its last state the one before
 * the next chunk.
 */
export interface StateScanner {
  /** Memory of the first `count` states of a chunk. `scan` may replace −0 by 0 in it. */
  states(count: number): Uint8Array;
  /** Memory of the state before the chunk. */
  previous(): Uint8Array;
  /** Scan the first `count` states and return `timelineFields` of each. Comparing fields are 0 for the first state of all. */
  scan(count: number): Int32Array;
  carry(count: number): void;
  sightings(): Sightings;
}

export interface StateShape {
  readonly dtype: Dtype;
  readonly tokens: number;
  readonly dims: number;
}

/** `timelineFields` of each state, one state after the other. */
export type CountsTable = Uint16Array | Int32Array;

/** A table for `states` states in memory that worker threads can share. No count exceeds `tokens`, so two bytes are enough for most histories. */
export function countsTable(states: number, tokens: number): CountsTable {
  const numbers = states * timelineFields.length;
  if (tokens > 0xffff) return new Int32Array(new SharedArrayBuffer(numbers * Int32Array.BYTES_PER_ELEMENT));
  return new Uint16Array(new SharedArrayBuffer(numbers * Uint16Array.BYTES_PER_ELEMENT));
}

/**
 * A scanner that uses the SIMD kernels. States are read directly into their memory.
 * @param capacity states of the largest chunk.
 * @returns undefined if the states do not fit into the 4 GiB that WebAssembly can address.
 */
export function wasmStateScanner({ dtype, tokens, dims }: StateShape, capacity: number): StateScanner | undefined {
  const kernels = loadKernels();
  const rowBytes = dims * itemSizes[dtype];
  const stateBytes = tokens * rowBytes;
  const address = kernels.configure(kernelKind(dtype), tokens, rowBytes, capacity);
  if (address === 0) return undefined;
  const { buffer } = kernels.memory;
  const states = (count: number): Uint8Array => new Uint8Array(buffer, address + stateBytes, count * stateBytes);
  return {
    states,
    previous: () => new Uint8Array(buffer, address, stateBytes),
    scan(count) {
      if (dtype === "BOOL") canonicalize(dtype, states(count)); // the kernels compare bytes
      kernels.scan(count);
      return new Int32Array(buffer, kernels.resultsAddress(), count * timelineFields.length);
    },
    carry: (count) => kernels.carry(count),
    sightings() {
      const seen = kernels.seen();
      const nonfiniteTokens = new Uint8Array(buffer, kernels.nonfiniteAddress(), tokens).slice();
      return { nonzero: (seen & 1) !== 0, finite: (seen & 2) !== 0, moved: (seen & 4) !== 0, nonfiniteTokens };
    },
  };
}

const noChanges: ClassChanges = { fissions: 0, splits: 0, merges: 0, joins: 0, escapes: 0, captures: 0 };

/** Collects sightings as the kernels do. */
class SightingsObserver implements Sightings {
  nonzero = false;
  finite = false;
  moved = false;
  readonly nonfiniteTokens: Uint8Array;
  readonly #shape: StateShape;
  #previous: Float64Array | undefined;
  #previousBytes: Uint8Array | undefined;

  constructor(shape: StateShape) {
    this.#shape = shape;
    this.nonfiniteTokens = new Uint8Array(shape.tokens);
  }

  observe(state: Uint8Array): void {
    const { dtype, tokens, dims } = this.#shape;
    const values = new Float64Array(tokens * dims);
    decodeElements(dtype, state, values);
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? 0;
      this.nonzero ||= value !== 0;
      if (Number.isFinite(value)) this.finite = true;
      else this.nonfiniteTokens[Math.floor(index / dims)] = 1;
      const change = this.#previous ? value - (this.#previous[index] ?? 0) : 0;
      this.moved ||= change !== 0 && !Number.isNaN(change);
    }
    // Beyond 2^53 neighbouring integers decode to the same number.
    if (dtype === "I64" || dtype === "U64") {
      this.moved ||= this.#previousBytes !== undefined && Buffer.compare(this.#previousBytes, state) !== 0;
      this.#previousBytes = new Uint8Array(state);
    }
    this.#previous = values;
  }
}

/** A scanner in plain TypeScript: the reference for the kernels, and the fallback for states that are too large for them. */
export function plainStateScanner(shape: StateShape, capacity: number): StateScanner {
  const { dtype, tokens, dims } = shape;
  const stateBytes = tokens * dims * itemSizes[dtype];
  const memory = new Uint8Array((capacity + 1) * stateBytes);
  const observer = new SightingsObserver(shape);
  const rows = selectRows(tokens);
  let before: Int32Array | undefined;
  return {
    states: (count) => memory.subarray(stateBytes, (count + 1) * stateBytes),
    previous: () => memory.subarray(0, stateBytes),
    scan(count) {
      const results = new Int32Array(count * timelineFields.length);
      for (let index = 0; index < count; index++) {
        const state = memory.subarray((index + 1) * stateBytes, (index + 2) * stateBytes);
        observer.observe(state);
        const classes = rowClasses(rowValues(dtype, state, dims), rows);
        const found = { ...classCounts(classes), ...(before ? classChanges(before, classes) : noChanges) };
        for (const [offset, field] of timelineFields.entries()) results[index * timelineFields.length + offset] = found[field];
        before = classes;
      }
      return results;
    },
    carry: (count) => memory.copyWithin(0, count * stateBytes, (count + 1) * stateBytes),
    sightings: () => observer,
  };
}
