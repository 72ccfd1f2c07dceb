import { distance } from "../../analysis/geometry/centroid.js";
import { axis, type LinePanel, linePanels, overMoves, overStates, type StepSeries } from "../panels.js";
import { motionPath } from "./motion-path.js";
import { defineRunFigure, type RunSource } from "./run-figure.js";

/** Mean and maximum over tokens of the norms of their moves. */
interface Moves {
  readonly mean: StepSeries;
  readonly max: StepSeries;
}

interface Displaced {
  readonly centroid: StepSeries;
  readonly weight?: Moves;
  readonly lattice?: Moves;
}

async function read(run: RunSource): Promise<Displaced> {
  const analysis = await run.analysis();
  const { centroids } = await motionPath(run);
  const { weight, lattice } = analysis.motion ?? {};
  return {
    centroid: overStates(analysis, displacements(centroids, analysis.dims)),
    ...(weight && { weight: { mean: overMoves(analysis, weight.meanL2), max: overMoves(analysis, weight.maxL2) } }),
    ...(lattice && { lattice: { mean: overMoves(analysis, lattice.meanL2), max: overMoves(analysis, lattice.maxL2) } }),
  };
}

function linesOf(what: "weight" | "lattice"): LinePanel<Displaced>["lines"] {
  return { "mean over tokens": (data) => data[what]?.mean, "largest of a token": (data) => data[what]?.max };
}

/** Distance of each state's centroid from the first. */
function displacements(centroids: Float64Array, dims: number): (number | null)[] {
  return Array.from({ length: centroids.length / dims }, (_, state) => {
    const moved = distance(centroids.subarray(state * dims, (state + 1) * dims), centroids.subarray(0, dims));
    return Number.isFinite(moved) ? moved : null;
  });
}

/** Displacement of the centroid, and motion of the tokens in each step, in weights and in lattice cells. */
export const displacement = defineRunFigure({
  name: "displacement",
  overlays: true,
  read,
  describe: (runs) => ({
    title: "Displacement and motion",
    caption:
      "Displacement: distance of the centroid from its initial position. ΔW: L2 norm of a token's move in a step. ΔW′: the same in lattice cells (ULPs). On the logarithmic axes, a step without motion is a gap.",
    ...linePanels(
      [
        { title: "Displacement", y: axis("distance", "weights", { scale: "log" }), lines: { "centroid's displacement": ({ centroid }) => centroid } },
        { title: "ΔW of a step", y: axis("‖ΔW‖₂", "weights", { scale: "log" }), lines: linesOf("weight") },
        { title: "ΔW′ of a step", y: axis("‖ΔW′‖₂", "lattice cells", { scale: "log" }), lines: linesOf("lattice") },
      ],
      runs,
    ),
  }),
});
