import { euclideanNorm } from "./euclidean-norm.js";

/** Where the rows of one state lie: their centroid, and their distances from it. */
export interface StateGeometry {
  /** Mean row, `dims` numbers. */
  readonly centroid: Float64Array;
  readonly centroidNorm: number;
  /** Largest distance of a row from the centroid. */
  readonly maxRadius: number;
  readonly meanRadius: number;
  /** Square root of the mean squared distance. */
  readonly rmsRadius: number;
}

/** The mean of `count` rows of `mean.length` numbers, into `mean`. */
function meanRow(values: Float64Array, count: number, mean: Float64Array): void {
  const dims = mean.length;
  mean.fill(0);
  for (let row = 0, index = 0; row < count; row++) {
    for (let dim = 0; dim < dims; dim++, index++) mean[dim] = (mean[dim] ?? 0) + (values[index] ?? 0);
  }
  for (let dim = 0; dim < dims; dim++) mean[dim] = (mean[dim] ?? 0) / count;
}

/** The geometry of decoded rows: `values` is `[tokens, dims]`, row-major. */
export function geometryOfValues(values: Float64Array, tokens: number, dims: number): StateGeometry {
  const centroid = new Float64Array(dims);
  meanRow(values, tokens, centroid);
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
