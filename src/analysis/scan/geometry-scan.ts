import { geometryOfValues, type StateGeometry } from "../geometry-of-values.js";
import { GrowingCloud, mergeClouds, type PointCloud } from "../point-cloud.js";
import { joinedSeries } from "./joined-series.js";
import type { Observation, ObservedRange, Observer } from "./observation.js";

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
