import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { readState } from "../formats/read-state.js";
import { stepsOf } from "../formats/state-of-step.js";

/** How far two runs are apart, at each step that both recorded. */
export interface RunDivergence {
  readonly steps: readonly number[];
  /** √(mean over rows of ‖A − B‖²). */
  readonly distance: readonly number[];
  /** ‖mean A − mean B‖: how far apart the centroids are. */
  readonly centroid: readonly number[];
  /** Rows that are equal in every component, by value. */
  readonly equalRows: readonly number[];
}

/**
 * How two histories go apart, in float64; one state of each is in memory.
 *
 * @throws {BhBridgeError} `FORMAT_INVALID` when their states have not the same rows and columns.
 */
export function* runDivergence(a: History, b: History): Generator<number, RunDivergence> {
  const { tokens, dims } = a;
  if (b.tokens !== tokens || b.dims !== dims) {
    throw new BhBridgeError("FORMAT_INVALID", `${a.source} has states of ${tokens} × ${dims}, ${b.source} of ${b.tokens} × ${b.dims}: they cannot be compared`);
  }
  const others = new Map(stepsOf(b).map((step, state) => [step, state]));
  const [steps, distance, centroid, equalRows]: number[][] = [[], [], [], []];
  for (const [state, step] of stepsOf(a).entries()) {
    const other = others.get(step);
    if (other === undefined) continue;
    const [left, right] = [readState(a, state).toFloat64(), readState(b, other).toFloat64()];
    const apart = new Float64Array(dims);
    let squares = 0;
    let equal = 0;
    for (let token = 0, index = 0; token < tokens; token++) {
      let isEqual = true;
      for (let dim = 0; dim < dims; dim++, index++) {
        const difference = (left[index] ?? 0) - (right[index] ?? 0);
        if (left[index] !== right[index]) isEqual = false;
        squares += difference * difference;
        apart[dim] = (apart[dim] ?? 0) + difference;
      }
      if (isEqual) equal++;
    }
    steps?.push(step);
    distance?.push(Math.sqrt(squares / tokens));
    centroid?.push(Math.sqrt(apart.reduce((sum, value) => sum + value * value, 0)) / tokens);
    equalRows?.push(equal);
    yield state + 1;
  }
  return { steps: steps ?? [], distance: distance ?? [], centroid: centroid ?? [], equalRows: equalRows ?? [] };
}
