import { z } from "zod";
import { type History, readState } from "../../formats/history.js";
import type { Matrix } from "../../formats/matrix.js";
import { count, glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, measurableStates, type Need } from "../analysis.js";
import { figure, figures, jsonFigures } from "../document-fields.js";
import { forEachRow } from "../elements.js";
import type { AnalysisSettingsInput, Observation, ScanOptions } from "../scan/observation.js";
import { arraysByName, emptySeries, joinedByName, scanHistory } from "../scan/scan-history.js";
import { type Displacement, displacement, distance } from "./centroid.js";
import type { Spread } from "./spread.js";
import { GrowingCloud, geometryOfValues, mergeClouds, type PointCloud } from "./state-geometry.js";

const seriesNames = ["centroidNorm", "maxRadius", "meanRadius", "rmsRadius"] as const;

/** Geometry of a range of states; series have one entry per state. */
export interface GeometryRange {
  readonly centroidNorm: Float64Array;
  readonly maxRadius: Float64Array;
  readonly meanRadius: Float64Array;
  readonly rmsRadius: Float64Array;
  /** Length of the centroid's path over the range, from the previous state. */
  readonly pathLength: number;
  /** The centroids of the range; absent above `spreadDims` dimensions, where their scatter takes too much memory. */
  readonly path?: PointCloud;
}

/** Radii of the rows of each state, and the path of their centroid. */
export const observation: Observation<GeometryRange> = {
  module: import.meta.url,
  observe({ first, end, tokens, dims, settings }) {
    const series = emptySeries(seriesNames, end - first);
    const path = dims <= settings.spreadDims ? new GrowingCloud(dims) : undefined;
    let pathLength = 0;
    let previous: Float64Array | undefined;
    return {
      before(values) {
        previous = geometryOfValues(values, tokens, dims).centroid;
      },
      state(state, values) {
        const { centroid, ...found } = geometryOfValues(values, tokens, dims);
        for (const name of seriesNames) series[name][state - first] = found[name];
        if (previous) pathLength += distance(centroid, previous);
        path?.add(centroid);
        previous = centroid;
      },
      end: () => ({ ...series, pathLength, ...(path && { path }) }),
    };
  },
  merge: (first, second) => ({
    ...joinedByName(seriesNames, first, second),
    pathLength: first.pathLength + second.pathLength,
    ...(first.path && second.path && { path: mergeClouds(first.path, second.path) }),
  }),
};

/** Radii of the rows in each state, and the path of their centroid. Series have one entry per state. */
export interface Geometry {
  readonly centroidNorm: readonly number[];
  /** Maximum, mean and root mean square distance of the rows from the centroid. */
  readonly maxRadius: readonly number[];
  readonly meanRadius: readonly number[];
  readonly rmsRadius: readonly number[];
  /** Distance from the first centroid to the last. */
  readonly displacement: Displacement;
  /** Sum of the centroid's steps. */
  readonly pathLength: number;
  /** Principal components of the first state's rows, the last state's rows, and all centroids; absent above `spreadDims` dimensions. */
  readonly initialSpread?: Spread;
  readonly finalSpread?: Spread;
  readonly pathSpread?: Spread;
}

/** The rows of a matrix `[tokens, dims]` as points. */
function rowCloud(matrix: Matrix): PointCloud {
  const cloud = new GrowingCloud(matrix.columns);
  forEachRow(matrix, (values) => cloud.add(values));
  return cloud;
}

/** The geometry of a scanned history with this first and last state. */
async function geometryOf(range: GeometryRange, initial: Matrix, final: Matrix): Promise<Geometry> {
  const figures = { ...arraysByName(seriesNames, range), displacement: displacement(initial, final), pathLength: range.pathLength };
  if (!range.path) return figures;
  // The linear algebra takes longer to load than a short history takes to read.
  const { spread } = await import("./spread.js");
  return { ...figures, initialSpread: spread(rowCloud(initial)), finalSpread: spread(rowCloud(final)), pathSpread: spread(range.path) };
}

/** Options of `geometry`. */
export interface GeometryOptions extends ScanOptions, Pick<AnalysisSettingsInput, "spreadDims"> {}

/**
 * Centroids, radii and spreads over a history, in float64.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; read errors.
 */
export async function geometry(history: History, options: GeometryOptions = {}): Promise<Geometry> {
  const { observed } = await scanHistory(history, [observation], options);
  return await geometryOf(observed[0], readState(history, 0), readState(history, history.states - 1));
}

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
    const { readState } = await import("../../formats/history.js");
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
      caption: "Around the centroid: largest and mean distance of the embedding's rows from their centroid. The centroid: its distance from the origin.",
      panels: [
        {
          title: "Around the centroid",
          y: { label: "distance", unit: "weights", zero: true },
          lines: ["maxRadius", "meanRadius"],
        },
        { title: "The centroid", y: { label: "distance from the origin", unit: "weights" }, lines: ["centroidNorm"] },
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
