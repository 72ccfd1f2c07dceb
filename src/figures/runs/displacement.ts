import { euclideanNorm } from "../../analysis/euclidean-norm.js";
import { axis } from "../axes.js";
import { linePanels, namedAlike, type QuantitySeries } from "../line-panels.js";
import { motionPath } from "../scan/motion-path.js";
import { overMoves, overStates } from "../state-series.js";
import { defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

const names = { way: "centroid's displacement", mean: "mean over tokens", max: "largest of a token" } as const;

async function read(run: RunSource): Promise<QuantitySeries> {
  const analysis = await run.analysis();
  const { centroids } = await motionPath(run);
  const { weight, lattice } = analysis.motion ?? {};
  return {
    [names.way]: overStates(analysis, displacements(centroids, analysis.dims)),
    ...(weight && { [`ΔW, ${names.mean}`]: overMoves(analysis, weight.meanL2), [`ΔW, ${names.max}`]: overMoves(analysis, weight.maxL2) }),
    ...(lattice && { [`ΔW′, ${names.mean}`]: overMoves(analysis, lattice.meanL2), [`ΔW′, ${names.max}`]: overMoves(analysis, lattice.maxL2) }),
  };
}

function linesOf(what: string): Readonly<Record<string, string>> {
  return { [names.mean]: `${what}, ${names.mean}`, [names.max]: `${what}, ${names.max}` };
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
        { title: "Displacement", y: axis("distance", "weights", { scale: "log" }), quantities: namedAlike([names.way]) },
        { title: "ΔW of a step", y: axis("‖ΔW‖₂", "weights", { scale: "log" }), quantities: linesOf("ΔW") },
        { title: "ΔW′ of a step", y: axis("‖ΔW′‖₂", "lattice cells", { scale: "log" }), quantities: linesOf("ΔW′") },
      ],
      runs,
    ),
  }),
});
