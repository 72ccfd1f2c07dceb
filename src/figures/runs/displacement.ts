import { euclideanNorm } from "../../analysis/geometry/centroid.js";
import { axis, type LinePanel, linePanels, overMoves, overStates, type StepSeries } from "../panels.js";
import { motionPath } from "./motion-path.js";
import { defineRunFigure, type RunSource } from "./run-figure.js";

/** Over the tokens, the mean and the largest norm of their moves. */
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

/** How far the centroid of each state is from the first one. */
function displacements(centroids: Float64Array, dims: number): (number | null)[] {
  return Array.from({ length: centroids.length / dims }, (_, state) => {
    const way = euclideanNorm(Float64Array.from({ length: dims }, (_each, dim) => (centroids[state * dims + dim] ?? 0) - (centroids[dim] ?? 0)));
    return Number.isFinite(way) ? way : null;
  });
}

/** How far the centroid has come, and how far the tokens move in each step: in weights, and in cells of the lattice. */
export const displacement = defineRunFigure({
  name: "displacement",
  overlays: true,
  read,
  describe: (runs) => ({
    schema: "bh-bridge/figure@1",
    name: "displacement",
    title: "Displacement and motion",
    caption:
      "Displacement is the centroid's distance from where it began. ΔW is the L2 norm of a token's move in a step, ΔW′ the same in lattice cells (moves over ULPs). The vertical axes are logarithmic: a step without any motion is a gap.",
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
