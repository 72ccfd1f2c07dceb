import { forEachRow } from "../../analysis/for-each-row.js";
import { GrowingCloud } from "../../analysis/point-cloud.js";
import { runHere } from "../../analysis/scan/run-in-parts.js";
import type { History } from "../../formats/history.js";
import { readState } from "../../formats/read-state.js";
import { spreadStates } from "../chosen-states.js";
import type { RunSource } from "../runs/run-source.js";

/** The work on one point grows with the square of its dimensions: this much of it takes about a second. */
const maxWork = 1e9;
const mostStates = 200;

/** A fixed view of a history: where it looks at, and in which directions. */
export interface PathBasis {
  readonly center: Float64Array;
  /** Unit vectors, the widest first: three, or as many as there are dimensions; none where no row ever differs. */
  readonly axes: readonly Float64Array[];
  /** The share of the spread that each direction has. */
  readonly explained: readonly number[];
}

/** The principal components of all rows over the whole training, of states evenly spread over it: one linear basis for every moment. */
export function pathBasis(run: RunSource): Promise<PathBasis> {
  return run.once(basisOf);
}

async function basisOf(run: RunSource): Promise<PathBasis> {
  const history = await run.history();
  const maxPoints = Math.ceil(maxWork / history.dims ** 2);
  const states = spreadStates(history.states, Math.max(2, Math.min(mostStates, Math.floor(maxPoints / history.tokens))));
  const every = Math.ceil((states.length * history.tokens) / maxPoints);
  const cloud = await runHere(collect(history, states, every), states.length, { signal: run.scan.signal });
  const { principalAxes, spread } = await import("../../analysis/spread.js");
  return { center: cloud.mean, axes: principalAxes(cloud, 3), explained: spread(cloud).explained?.slice(0, 3) ?? [] };
}

function* collect(history: History, states: readonly number[], every: number): Generator<number, GrowingCloud> {
  const cloud = new GrowingCloud(history.dims);
  for (const [index, state] of states.entries()) {
    forEachRow(readState(history, state), (values, row) => {
      if (row % every === 0 && values.every(Number.isFinite)) cloud.add(values);
    });
    yield index + 1;
  }
  return cloud;
}

/** Where a row is in the view: its coordinates along the axes. */
export function seenFrom({ center, axes }: PathBasis, values: ArrayLike<number>): number[] {
  return axes.map((axis) => axis.reduce((sum, direction, dim) => sum + direction * ((values[dim] ?? 0) - (center[dim] ?? 0)), 0));
}
