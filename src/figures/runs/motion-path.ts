import { geometryOfValues } from "../../analysis/geometry/state-geometry.js";
import type { StepMotion } from "../../analysis/motion/step-motion.js";
import type { Observation } from "../../analysis/scan/observation.js";
import { joinedSeries, scanHistory } from "../../analysis/scan/scan-history.js";
import type { RunSource } from "./run-figure.js";

/** Maximum number of rows to follow, evenly spread. */
const maxRows = 512;

/** Motion of a row in a step: none, at most one lattice cell in every component, more, or more than √dims cells in all. Without a lattice only 0 and 3 occur. */
const stillness = { still: 0, within: 1, beyond: 2, far: 3 } as const;

/** What one more pass over a history reports that its analysis does not store. */
export interface MotionPath {
  /** The centroid of every state, `[states, dims]`. */
  readonly centroids: Float64Array;
  /** The level of every followed row in every step, 0 to 3 as in `stillness`, `[steps, rows]`. */
  readonly levels: Uint8Array;
  /** Quantiles of the followed rows' moves in every step, `[steps, quantileShares]`: norms in weights, and in lattice cells if there are any. */
  readonly weight: Float64Array;
  readonly lattice: Float64Array | null;
}

/** Shares of the rows that move at most as far as each quantile. */
export const quantileShares = [0.1, 0.5, 0.9] as const;

/** Quantiles of values, with linear interpolation; NaN if a value is none. */
function quantilesOf(values: Float64Array): number[] {
  if (values.some(Number.isNaN)) return quantileShares.map(() => Number.NaN);
  const sorted = values.toSorted();
  return quantileShares.map((share) => {
    const at = share * (sorted.length - 1);
    const [low = 0, high = low] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
    return low + (at - Math.floor(at)) * (high - low);
  });
}

/** The rows that are followed, of `tokens`. */
export function followedRows(tokens: number): number[] {
  const every = Math.ceil(tokens / maxRows);
  return Array.from({ length: Math.ceil(tokens / every) }, (_, index) => index * every);
}

function levelOf({ weight, lattice }: StepMotion, row: number, far: number): number {
  if (weight.L1[row] === 0) return stillness.still;
  if (!lattice) return stillness.far;
  if ((lattice.L2[row] ?? 0) > far) return stillness.far;
  return (lattice.Linf[row] ?? 0) > 1 ? stillness.beyond : stillness.within;
}

/** The path of the centroid, and the motion of the followed rows. */
export const observation: Observation<MotionPath> = {
  module: import.meta.url,
  observe({ first, firstStep, end, tokens, dims }) {
    const centroids = new Float64Array((end - first) * dims);
    const rows = followedRows(tokens);
    const levels = new Uint8Array((end - firstStep) * rows.length);
    const far = Math.sqrt(dims);
    const weight = new Float64Array((end - firstStep) * quantileShares.length);
    const lattice = new Float64Array(weight.length);
    let hasLattice = false;
    return {
      state: (state, values) => centroids.set(geometryOfValues(values, tokens, dims).centroid, (state - first) * dims),
      step(step, motion) {
        const at = (step - firstStep) * rows.length;
        for (const [index, row] of rows.entries()) levels[at + index] = levelOf(motion, row, far);
        const put = (target: Float64Array, norms: Float64Array) => {
          const followed = Float64Array.from(rows, (row) => norms[row] ?? 0);
          target.set(quantilesOf(followed), (step - firstStep) * quantileShares.length);
        };
        put(weight, motion.weight.L2);
        hasLattice = motion.lattice !== undefined;
        if (motion.lattice) put(lattice, motion.lattice.L2);
      },
      end: () => ({ centroids, levels, weight, lattice: hasLattice ? lattice : null }),
    };
  },
  merge(first, second) {
    const levels = new Uint8Array(first.levels.length + second.levels.length);
    levels.set(first.levels);
    levels.set(second.levels, first.levels.length);
    return {
      centroids: joinedSeries(first.centroids, second.centroids),
      levels,
      weight: joinedSeries(first.weight, second.weight),
      lattice: first.lattice && second.lattice ? joinedSeries(first.lattice, second.lattice) : (first.lattice ?? second.lattice),
    };
  },
};

/** Read the history of a run once for all figures that follow its rows. */
export function motionPath(run: RunSource): Promise<MotionPath> {
  return run.once(read);
}

async function read(run: RunSource): Promise<MotionPath> {
  const { observed } = await scanHistory(await run.history(), [observation], run.scan);
  return observed[0];
}
