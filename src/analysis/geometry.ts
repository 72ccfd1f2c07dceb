import type { History } from "../formats/history.js";
import type { Matrix } from "../formats/matrix.js";
import { readState } from "../formats/read-state.js";
import { type Displacement, displacement } from "./displacement.js";
import { forEachRow } from "./for-each-row.js";
import { GrowingCloud, type PointCloud } from "./point-cloud.js";
import type { GeometryRange } from "./scan/geometry-scan.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import type { Spread } from "./spread.js";

/** Above so many dimensions, the eigenvalues of one covariance take more than some ten seconds. */
export const defaultSpreadDims = 768;

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
export async function geometryOf(range: GeometryRange, initial: Matrix, final: Matrix, hasSpread: boolean): Promise<Geometry> {
  const figures = {
    centroidNorm: Array.from(range.centroidNorm),
    maxRadius: Array.from(range.maxRadius),
    meanRadius: Array.from(range.meanRadius),
    rmsRadius: Array.from(range.rmsRadius),
    displacement: displacement(initial, final),
    pathLength: range.pathLength,
  };
  if (!hasSpread) return figures;
  // The linear algebra takes longer to load than a short history to be read: only those who want it wait for it.
  const { spread } = await import("./spread.js");
  return { ...figures, initialSpread: spread(rowCloud(initial)), finalSpread: spread(rowCloud(final)), pathSpread: spread(range.path) };
}

export interface GeometryOptions extends ScanOptions {
  /** Spreads are left out when there are more dimensions; by default above 768. */
  readonly spreadDims?: number | undefined;
}

/**
 * Centroids, radii and spreads over a history, in float64.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function geometry(history: History, options: GeometryOptions = {}): Promise<Geometry> {
  const hasSpread = history.dims <= (options.spreadDims ?? defaultSpreadDims);
  const scan = await scanHistory(history, { motion: false, geometry: true, pathSpread: hasSpread }, options);
  return await geometryOf(scan.geometry, readState(history, 0), readState(history, history.states - 1), hasSpread);
}
