import { itemSizes } from "../../formats/matrix.js";
import { type ClassChanges, classChanges } from "../class-changes.js";
import { classCounts } from "../class-counts.js";
import { decodeElements } from "../decode-elements.js";
import { rowClasses } from "../row-classes.js";
import { rowValues } from "../row-values.js";
import { selectRows } from "../select-rows.js";
import { type StateScanner, type StateShape, timelineFields } from "./state-scanner.js";

const noChanges: ClassChanges = { fissions: 0, splits: 0, merges: 0, joins: 0, escapes: 0, captures: 0 };

/** What the kernels see on the way, in TypeScript. */
class Observer {
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

/** A scanner in plain TypeScript: the check of the kernels, and their stand-in where states are too large for them. */
export function plainStateScanner(shape: StateShape, capacity: number): StateScanner {
  const { dtype, tokens, dims } = shape;
  const stateBytes = tokens * dims * itemSizes[dtype];
  const memory = new Uint8Array((capacity + 1) * stateBytes);
  const observer = new Observer(shape);
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
        const told = { ...classCounts(classes), ...(before ? classChanges(before, classes) : noChanges) };
        results.set(
          timelineFields.map((field) => told[field]),
          index * timelineFields.length,
        );
        before = classes;
      }
      return results;
    },
    carry: (count) => memory.copyWithin(0, count * stateBytes, (count + 1) * stateBytes),
    sightings: () => observer,
  };
}
