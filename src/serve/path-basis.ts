import { Matrix as DenseMatrix } from "ml-matrix";
import { PCA } from "ml-pca";
import { decodeElements } from "../analysis/decode-elements.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";

/** So many states of the path, and rows of them, go into the basis: more move it by less than a pixel. */
const sampledStates = 64;
const sampledRows = 8192;
/** Of more dimensions, only these take part: the eigenvectors of larger matrices take seconds. */
const mostDims = 256;

/** Directions to look along, one basis for the whole path. */
export interface PathBasis {
  /** What points are taken relative to: the mean of the sampled rows. */
  readonly mean: Float32Array;
  /** `[components, dims]`, orthonormal rows, by falling variance. */
  readonly directions: Float32Array;
  readonly components: number;
  /** Share of the variance along each. */
  readonly explained: readonly number[];
  /** Largest distance of a sampled row from the mean, along each of the first three. */
  readonly reach: readonly number[];
}

/** The principal components of sampled states of a history, all taken together: first and last state, and others at equal distances. */
export function pathBasis(history: History): PathBasis {
  const { states, tokens, dims, dtype } = history;
  const used = Math.min(dims, mostDims);
  const wanted = Math.max(2, Math.min(sampledStates, Math.floor((32 * 2 ** 20) / (tokens * dims * itemSizes[dtype]))));
  const chosen = [...new Set(Array.from({ length: wanted }, (_, index) => Math.round((index * (states - 1)) / (wanted - 1))))];
  const rowEvery = Math.max(1, Math.ceil((chosen.length * tokens) / sampledRows));
  const rows: Float64Array[] = [];
  const values = new Float64Array(tokens * dims);
  const bytes = new Uint8Array(tokens * dims * itemSizes[dtype]);
  for (const [index, state] of chosen.entries()) {
    history.read(state, 1, bytes);
    decodeElements(dtype, bytes, values);
    for (let row = index % rowEvery; row < tokens; row += rowEvery) {
      const vector = values.slice(row * dims, row * dims + used);
      if (vector.every(Number.isFinite)) rows.push(vector);
    }
  }
  const mean = new Float64Array(used);
  for (const row of rows) {
    for (let dim = 0; dim < used; dim++) mean[dim] = (mean[dim] ?? 0) + (row[dim] ?? 0) / rows.length;
  }
  const covariance = DenseMatrix.zeros(used, used);
  const scatter = new Float64Array(used * used);
  for (const row of rows) {
    for (let a = 0; a < used; a++) {
      const left = (row[a] ?? 0) - (mean[a] ?? 0);
      if (left === 0) continue;
      for (let b = a; b < used; b++) scatter[a * used + b] = (scatter[a * used + b] ?? 0) + left * ((row[b] ?? 0) - (mean[b] ?? 0));
    }
  }
  const scale = scatter.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  for (let a = 0; a < used; a++) {
    for (let b = a; b < used; b++) {
      covariance.set(a, b, (scatter[a * used + b] ?? 0) / scale);
      covariance.set(b, a, (scatter[a * used + b] ?? 0) / scale);
    }
  }
  const found = new PCA(covariance, { isCovarianceMatrix: true });
  const vectors = found.getLoadings();
  const variances = found.getEigenvalues().map((value) => Math.max(value, 0));
  const total = variances.reduce((sum, value) => sum + value, 0) || 1;
  const directions = new Float32Array(used * dims);
  for (let component = 0; component < used; component++) {
    for (let dim = 0; dim < used; dim++) directions[component * dims + dim] = vectors.get(component, dim);
  }
  const wholeMean = new Float32Array(dims);
  wholeMean.set(mean);
  return { mean: wholeMean, directions, components: used, explained: variances.map((value) => value / total), reach: reachOf(rows, mean, directions, dims) };
}

function reachOf(rows: readonly Float64Array[], mean: Float64Array, directions: Float32Array, dims: number): number[] {
  return Array.from({ length: Math.min(3, mean.length) }, (_, component) => {
    let reach = 0;
    for (const row of rows) {
      let along = 0;
      for (let dim = 0; dim < mean.length; dim++) along += ((row[dim] ?? 0) - (mean[dim] ?? 0)) * (directions[component * dims + dim] ?? 0);
      reach = Math.max(reach, Math.abs(along));
    }
    return reach;
  });
}
