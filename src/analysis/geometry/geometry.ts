import { type History, readState } from "../../formats/history.js";
import type { Matrix } from "../../formats/matrix.js";
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
export async function geometryOf(range: GeometryRange, initial: Matrix, final: Matrix): Promise<Geometry> {
  const figures = { ...arraysByName(seriesNames, range), displacement: displacement(initial, final), pathLength: range.pathLength };
  if (!range.path) return figures;
  // The linear algebra takes longer to load than a short history takes to read.
  const { spread } = await import("./spread.js");
  return { ...figures, initialSpread: spread(rowCloud(initial)), finalSpread: spread(rowCloud(final)), pathSpread: spread(range.path) };
}

export interface GeometryOptions extends ScanOptions, Pick<AnalysisSettingsInput, "spreadDims"> {}

/**
 * Centroids, radii and spreads over a history, in float64.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; read errors.
 */
export async function geometry(history: History, options: GeometryOptions = {}): Promise<Geometry> {
  const { observed } = await scanHistory(history, [observation], options);
  return await geometryOf(observed[0], readState(history, 0), readState(history, history.states - 1));
}
