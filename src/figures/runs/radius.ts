import { axis } from "../axes.js";
import { linePanels, namedAlike, type QuantitySeries } from "../line-panels.js";
import { overStates } from "../state-series.js";
import { defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

async function read(run: RunSource): Promise<QuantitySeries> {
  const analysis = await run.analysis();
  const { maxRadius = [], meanRadius = [], centroidNorm = [] } = analysis.geometry ?? {};
  return {
    "largest radius": overStates(analysis, maxRadius),
    "mean radius": overStates(analysis, meanRadius),
    "centroid's distance": overStates(analysis, centroidNorm),
  };
}

/** How far the rows lie from their centroid, and the centroid from the origin. */
export const radius = defineRunFigure({
  name: "radius",
  overlays: true,
  read,
  describe: (runs) => ({
    schema: "bh-bridge/figure@1",
    name: "radius",
    title: "Radius and distance of the centroid",
    caption: "Left: distance of the embedding's rows from their centroid, the largest and the mean. Right: distance of the centroid from the origin.",
    ...linePanels(
      [
        { title: "Around the centroid", y: axis("distance", "weights", { zero: true }), quantities: namedAlike(["largest radius", "mean radius"]) },
        { title: "The centroid", y: axis("distance from the origin", "weights"), quantities: namedAlike(["centroid's distance"]) },
      ],
      runs,
    ),
  }),
});
