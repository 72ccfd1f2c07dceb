import { z } from "zod";
import { count, glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, measurableStates, type Need } from "../analysis.js";
import { figure, figures, jsonFigures } from "../document-fields.js";
import { distance } from "./centroid.js";
import { observation } from "./geometry.js";
import { geometryOfValues } from "./state-geometry.js";

const spread = z.strictObject({
  variances: z.array(z.number()).readonly().nullable(),
  explained: z.array(z.number()).readonly().nullable(),
  participationRatio: figure,
});

const schema = z
  .strictObject({
    centroidNorm: figures,
    maxRadius: figures,
    meanRadius: figures,
    rmsRadius: figures,
    displacement: z.strictObject({ float64: figure, float32: figure, bfloat16: figure }),
    pathLength: figure,
    initialSpread: spread.optional(),
    finalSpread: spread.optional(),
    pathSpread: spread.optional(),
  })
  .describe("Centroid and radii have one entry per snapshot; spreads are principal components");

const fewDimensions: Need = {
  fields: ["initialSpread", "finalSpread", "pathSpread"],
  unmet: ({ dims }, { spreadDims }) => (dims > spreadDims ? `${count(dims, "dimension")}, more than ${groupDigits(spreadDims)} (spreadDims)` : undefined),
};

/** Radii of the rows, and the path of their centroid. */
export const geometryAnalysis = defineAnalysis({
  name: "geometry",
  schema,
  needs: [measurableStates, fewDimensions],
  observation,
  async finish({ range, history }) {
    const [{ geometryOf }, { readState }] = await Promise.all([import("./geometry.js"), import("../../formats/history.js")]);
    const found = await geometryOf(range, readState(history, 0), readState(history, history.states - 1));
    const { initialSpread, finalSpread, pathSpread, ...others } = found;
    return { ...jsonFigures(others), ...(range.path && { initialSpread, finalSpread, pathSpread }) };
  },
  title: "Geometry",
  print({ centroidNorm, maxRadius, meanRadius, rmsRadius, displacement, pathLength, initialSpread, finalSpread, pathSpread }, stepOf) {
    const rows = glance(0, centroidNorm.length - 1).map((state) => [
      groupDigits(stepOf(state)),
      ...[centroidNorm, maxRadius, meanRadius, rmsRadius].map((series) => shown(series[state])),
    ]);
    const spreads = { "at the start": initialSpread, "at the end": finalSpread, "of the path": pathSpread };
    const directions = Object.entries(spreads).flatMap(([name, found]) => (found ? [`${shown(found.participationRatio)} ${name}`] : []));
    return [
      { head: ["step", "centroid", "max radius", "mean radius", "rms radius"], rows },
      `Displacement ${shown(displacement.float64)} (${shown(displacement.bfloat16)} in the notebook's bfloat16 arithmetic)`,
      `Length of the centroid's path ${shown(pathLength)}`,
      ...(directions.length > 0 ? [`Directions of spread: ${directions.join(", ")}`] : []),
    ];
  },
  series: {
    centroidNorm: { per: "state", label: "centroid from 0", of: (part) => part.centroidNorm },
    meanRadius: { per: "state", label: "mean radius", of: (part) => part.meanRadius },
    maxRadius: { per: "state", label: "largest radius", of: (part) => part.maxRadius },
    displacement: { per: "state", label: "displacement of the centroid" },
  },
  charts: [{ key: "place", title: "Position", unit: "L2 norm", series: ["centroidNorm", "maxRadius", "meanRadius", "displacement"] }],
  figures: [
    {
      name: "radius",
      title: "Radius and distance of the centroid",
      caption: "Left: largest and mean distance of the embedding's rows from their centroid. Right: distance of the centroid from the origin.",
      panels: [
        {
          title: "Around the centroid",
          y: { label: "distance", unit: "weights", zero: true },
          lines: { "largest radius": "maxRadius", "mean radius": "meanRadius" },
        },
        { title: "The centroid", y: { label: "distance from the origin", unit: "weights" }, lines: { "centroid's distance": "centroidNorm" } },
      ],
    },
  ],
  live: {
    series: ["centroidNorm", "meanRadius", "maxRadius", "displacement"],
    start({ tokens, dims }, first) {
      const origin = geometryOfValues(first, tokens, dims).centroid;
      return (values) => {
        const { centroid, centroidNorm, meanRadius, maxRadius } = geometryOfValues(values, tokens, dims);
        return { centroidNorm, meanRadius, maxRadius, displacement: distance(centroid, origin) };
      };
    },
  },
});
