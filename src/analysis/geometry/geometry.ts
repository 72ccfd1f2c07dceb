import { type History, readState } from "../../formats/history.js";
import type { Matrix } from "../../formats/matrix.js";
import { forEachRow } from "../elements.js";
import type { AnalysisSettingsInput, Observation, ObservedRange, Observer, ScanOptions } from "../scan/observation.js";
import { joinedSeries, scanHistory } from "../scan/scan-history.js";
import { type Displacement, displacement } from "./centroid.js";
import type { Spread } from "./spread.js";
import { GrowingCloud, geometryOfValues, mergeClouds, type PointCloud, type StateGeometry } from "./state-geometry.js";

/** Geometry of a range of states; the series have one entry a state. */
export interface GeometryRange {
  readonly centroidNorm: Float64Array;
  readonly maxRadius: Float64Array;
  readonly meanRadius: Float64Array;
  readonly rmsRadius: Float64Array;
  /** Length of the centroid's path over the range, from the state before it on. */
  readonly pathLength: number;
  /** The centroids of the range; absent above `spreadDims` dimensions, where their scatter takes too much room. */
  readonly path?: PointCloud;
}

function distance(a: Float64Array, b: Float64Array): number {
  let squares = 0;
  for (let index = 0; index < a.length; index++) squares += ((a[index] ?? 0) - (b[index] ?? 0)) ** 2;
  return Math.sqrt(squares);
}

class GeometryObserver implements Observer<GeometryRange> {
  readonly #range: ObservedRange;
  readonly #series: Pick<GeometryRange, "centroidNorm" | "maxRadius" | "meanRadius" | "rmsRadius">;
  readonly #path: GrowingCloud | undefined;
  #pathLength = 0;
  #centroid: Float64Array | undefined;

  constructor(range: ObservedRange) {
    const { first, end, dims, settings } = range;
    const series = (): Float64Array => new Float64Array(end - first);
    this.#range = range;
    this.#series = { centroidNorm: series(), maxRadius: series(), meanRadius: series(), rmsRadius: series() };
    this.#path = dims <= settings.spreadDims ? new GrowingCloud(dims) : undefined;
  }

  #geometry(values: Float64Array): StateGeometry {
    return geometryOfValues(values, this.#range.tokens, this.#range.dims);
  }

  before(values: Float64Array): void {
    this.#centroid = this.#geometry(values).centroid;
  }

  state(state: number, values: Float64Array): void {
    const index = state - this.#range.first;
    const { centroid, centroidNorm, maxRadius, meanRadius, rmsRadius } = this.#geometry(values);
    this.#series.centroidNorm[index] = centroidNorm;
    this.#series.maxRadius[index] = maxRadius;
    this.#series.meanRadius[index] = meanRadius;
    this.#series.rmsRadius[index] = rmsRadius;
    if (this.#centroid) this.#pathLength += distance(centroid, this.#centroid);
    this.#path?.add(centroid);
    this.#centroid = centroid;
  }

  end(): GeometryRange {
    return { ...this.#series, pathLength: this.#pathLength, ...(this.#path && { path: this.#path }) };
  }
}

/** Where the rows of each state lie, and where their centroid goes. */
export const observation: Observation<GeometryRange> = {
  module: import.meta.url,
  observe: (range) => new GeometryObserver(range),
  merge: (first, second) => ({
    centroidNorm: joinedSeries(first.centroidNorm, second.centroidNorm),
    maxRadius: joinedSeries(first.maxRadius, second.maxRadius),
    meanRadius: joinedSeries(first.meanRadius, second.meanRadius),
    rmsRadius: joinedSeries(first.rmsRadius, second.rmsRadius),
    pathLength: first.pathLength + second.pathLength,
    ...(first.path && second.path && { path: mergeClouds(first.path, second.path) }),
  }),
};

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
