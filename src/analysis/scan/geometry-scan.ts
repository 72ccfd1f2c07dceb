import { GrowingCloud, type PointCloud } from "../point-cloud.js";
import { geometryOfValues } from "../state-geometry.js";

/** Geometry of a range of states; the series have one entry a state. */
export interface GeometryRange {
  readonly centroidNorm: Float64Array;
  readonly maxRadius: Float64Array;
  readonly meanRadius: Float64Array;
  readonly rmsRadius: Float64Array;
  /** Length of the centroid's path over the range, from the state before it on. */
  pathLength: number;
  /** The centroids of the range; empty when the dimensions are too many to keep their scatter. */
  path: PointCloud;
}

/** Records the geometry of the states of a range, which come in order. */
export class GeometryScan {
  readonly range: GeometryRange;
  readonly #tokens: number;
  readonly #dims: number;
  readonly #cloud: GrowingCloud | undefined;
  #centroid: Float64Array | undefined;

  /** @param keepsPath whether the scatter of the path, `dims²` numbers, is kept. */
  constructor(states: number, tokens: number, dims: number, keepsPath: boolean) {
    const series = (): Float64Array => new Float64Array(states);
    this.#tokens = tokens;
    this.#dims = dims;
    this.#cloud = keepsPath ? new GrowingCloud(dims) : undefined;
    const path = this.#cloud ?? new GrowingCloud(0);
    this.range = { centroidNorm: series(), maxRadius: series(), meanRadius: series(), rmsRadius: series(), pathLength: 0, path };
  }

  /** Begin the path at the state before the range. */
  start(values: Float64Array): void {
    this.#centroid = geometryOfValues(values, this.#tokens, this.#dims).centroid;
  }

  record(index: number, values: Float64Array): void {
    const geometry = geometryOfValues(values, this.#tokens, this.#dims);
    const { range } = this;
    range.centroidNorm[index] = geometry.centroidNorm;
    range.maxRadius[index] = geometry.maxRadius;
    range.meanRadius[index] = geometry.meanRadius;
    range.rmsRadius[index] = geometry.rmsRadius;
    if (this.#centroid) range.pathLength += distance(geometry.centroid, this.#centroid);
    this.#cloud?.add(geometry.centroid);
    this.#centroid = geometry.centroid;
  }
}

function distance(a: Float64Array, b: Float64Array): number {
  let squares = 0;
  for (let index = 0; index < a.length; index++) squares += ((a[index] ?? 0) - (b[index] ?? 0)) ** 2;
  return Math.sqrt(squares);
}
