import { type Matrix, requireMatrix } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import { euclideanNorm } from "./centroid.js";

/** The centroid of one state's rows, and their distances from it. */
export interface StateGeometry {
  /** Mean row, `dims` numbers. */
  readonly centroid: Float64Array;
  readonly centroidNorm: number;
  /** Largest distance of a row from the centroid. */
  readonly maxRadius: number;
  readonly meanRadius: number;
  /** Root mean square distance. */
  readonly rmsRadius: number;
}

/** The mean of decoded rows `[tokens, dims]`. */
export function meanRow(values: Float64Array, tokens: number, dims: number): Float64Array {
  const sum = new Float64Array(dims);
  for (let row = 0, index = 0; row < tokens; row++) {
    for (let dim = 0; dim < dims; dim++, index++) sum[dim] = (sum[dim] ?? 0) + (values[index] ?? 0);
  }
  return sum.map((value) => value / tokens);
}

/** The geometry of decoded rows `[tokens, dims]`, row-major. */
export function geometryOfValues(values: Float64Array, tokens: number, dims: number): StateGeometry {
  const centroid = meanRow(values, tokens, dims);
  let sum = 0;
  let squares = 0;
  let largest = 0;
  for (let token = 0, index = 0; token < tokens; token++) {
    let square = 0;
    for (let dim = 0; dim < dims; dim++, index++) {
      const deviation = (values[index] ?? 0) - (centroid[dim] ?? 0);
      square += deviation * deviation;
    }
    const radius = Math.sqrt(square);
    sum += radius;
    squares += square;
    if (radius > largest) largest = radius;
  }
  return {
    centroid,
    centroidNorm: euclideanNorm(centroid),
    maxRadius: Number.isNaN(sum) ? Number.NaN : largest,
    meanRadius: sum / tokens,
    rmsRadius: Math.sqrt(squares / tokens),
  };
}

/** Centroid and radii of one state, in float64; NaN if rows contain NaN or infinity. @param matrix `[tokens, dims]` of any dtype. */
export function stateGeometry(matrix: Matrix): StateGeometry {
  requireMatrix(matrix, "matrix");
  const values = new Float64Array(matrix.rows * matrix.columns);
  decodeElements(matrix.dtype, matrix.bytes, values);
  return geometryOfValues(values, matrix.rows, matrix.columns);
}

/** Mean and scatter of points, from which their covariance follows, in constant memory. */
export interface PointCloud {
  readonly count: number;
  readonly mean: Float64Array;
  /** `[dims, dims]` row-major, Σ(x − mean)(x − mean)ᵀ; only entries on and above the diagonal are stored. */
  readonly scatter: Float64Array;
  readonly first: Float64Array | undefined;
  /** Whether some point differs from the first. */
  readonly varies: boolean;
}

function differs(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return true;
  return false;
}

/** A cloud that grows by one point at a time (Welford 1962). */
export class GrowingCloud implements PointCloud {
  count = 0;
  readonly mean: Float64Array;
  readonly scatter: Float64Array;
  first: Float64Array | undefined;
  varies = false;
  readonly #before: Float64Array;

  constructor(dims: number) {
    this.mean = new Float64Array(dims);
    this.scatter = new Float64Array(dims * dims);
    this.#before = new Float64Array(dims);
  }

  add(point: Float64Array): void {
    this.first ??= point.slice();
    this.varies ||= differs(point, this.first);
    this.count++;
    const { mean, scatter } = this;
    const before = this.#before;
    const dims = mean.length;
    for (let dim = 0; dim < dims; dim++) {
      const deviation = (point[dim] ?? 0) - (mean[dim] ?? 0);
      before[dim] = deviation;
      mean[dim] = (mean[dim] ?? 0) + deviation / this.count;
    }
    // (x − old mean)(x − new mean)ᵀ is symmetric: the second factor is the first times (count − 1)/count.
    const shrink = (this.count - 1) / this.count;
    for (let row = 0; row < dims; row++) {
      const weight = (before[row] ?? 0) * shrink;
      if (weight === 0) continue;
      for (let column = row, index = row * dims + row; column < dims; column++, index++) {
        scatter[index] = (scatter[index] ?? 0) + weight * (before[column] ?? 0);
      }
    }
  }
}

/** The union of two clouds (Chan, Golub & LeVeque 1979). */
export function mergeClouds(a: PointCloud, b: PointCloud): PointCloud {
  if (a.first === undefined || b.first === undefined) return a.first === undefined ? b : a;
  const count = a.count + b.count;
  const shift = b.mean.map((value, dim) => value - (a.mean[dim] ?? 0));
  const dims = shift.length;
  const weight = (a.count * b.count) / count;
  const scatter = a.scatter.map((value, index) => {
    const row = Math.floor(index / dims);
    const column = index % dims;
    return column < row ? 0 : value + (b.scatter[index] ?? 0) + weight * (shift[row] ?? 0) * (shift[column] ?? 0);
  });
  return {
    count,
    mean: a.mean.map((value, dim) => value + ((shift[dim] ?? 0) * b.count) / count),
    scatter,
    first: a.first,
    varies: a.varies || b.varies || differs(a.first, b.first),
  };
}
