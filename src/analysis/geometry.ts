import type { History } from "../formats/history.js";
import type { Matrix } from "../formats/matrix.js";
import { readState } from "../formats/read-state.js";
import type { AnalysisSettingsInput } from "./analysis-settings.js";
import { type Displacement, displacement } from "./displacement.js";
import { forEachRow } from "./for-each-row.js";
import { GrowingCloud, type PointCloud } from "./point-cloud.js";
import { type GeometryRange, observation } from "./scan/geometry-scan.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import type { Spread } from "./spread.js";

/** Where the rows lie in each state, and where their centroid goes. Series have an entry a state. */
export interface Geometry {
  readonly centroidNorm: readonly number[];
  /** Distances of the rows from the centroid: the largest, the mean, and the root of the mean square. */
  readonly maxRadius: readonly number[];
  readonly meanRadius: readonly number[];
  readonly rmsRadius: readonly number[];
  /** How far the centroid of the last state is from that of the first. */
  readonly displacement: Displacement;
  /** How long the centroid's path is, step by step. */
  readonly pathLength: number;
  /** Principal components of the rows of the first state, of the last, and of the centroids of all; absent above `spreadDims` dimensions. */
  readonly initialSpread?: Spread;
  readonly finalSpread?: Spread;
  readonly pathSpread?: Spread;
}

/** The rows of a matrix `[tokens, dims]` as a cloud of points. */
function rowCloud(matrix: Matrix): PointCloud {
  const cloud = new GrowingCloud(matrix.columns);
  forEachRow(matrix, (values) => cloud.add(values));
  return cloud;
}

/** The geometry that a scan amounts to, with the first and the last state. */
export async function geometryOf(range: GeometryRange, initial: Matrix, final: Matrix): Promise<Geometry> {
  const figures = {
    centroidNorm: Array.from(range.centroidNorm),
    maxRadius: Array.from(range.maxRadius),
    meanRadius: Array.from(range.meanRadius),
    rmsRadius: Array.from(range.rmsRadius),
    displacement: displacement(initial, final),
    pathLength: range.pathLength,
  };
  if (!range.path) return figures;
  // The linear algebra takes longer to load than a short history to be read: only those who want it wait for it.
  const { spread } = await import("./spread.js");
  return { ...figures, initialSpread: spread(rowCloud(initial)), finalSpread: spread(rowCloud(final)), pathSpread: spread(range.path) };
}

export interface GeometryOptions extends ScanOptions, Pick<AnalysisSettingsInput, "spreadDims"> {}

/**
 * Centroids, radii and spreads over a history, in float64.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function geometry(history: History, options: GeometryOptions = {}): Promise<Geometry> {
  const { observed } = await scanHistory(history, [observation], options);
  return await geometryOf(observed[0], readState(history, 0), readState(history, history.states - 1));
}
