import { Matrix as DenseMatrix } from "ml-matrix";
import { PCA } from "ml-pca";
import type { PointCloud } from "./state-geometry.js";

/** Principal components of points; nulls if all points are equal or some are not finite. */
export interface Spread {
  /** Eigenvalues of the covariance (divided by the number of points), descending, one per dimension. */
  readonly variances: readonly number[] | null;
  /** Each variance as a share of their sum. */
  readonly explained: readonly number[] | null;
  /** (Σλ)²/Σλ²: the effective number of directions. */
  readonly participationRatio: number | null;
}

const noSpread: Spread = { variances: null, explained: null, participationRatio: null };

/** Entries below this, relative to a largest entry of 1, count as 0: they affect no digit, and the eigenvalue iteration fails on subnormal numbers. */
const negligible = 2 ** -500;

/** A power of two near the largest entry of a cloud's covariance: 0 if all points are equal, or too close for a float64 to hold their variance. */
function scaleOf({ scatter, count, varies }: PointCloud): number {
  if (!varies) return 0;
  return 2 ** Math.floor(Math.log2(scatter.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0) / count));
}

/** The covariance of a cloud divided by `scale`, since the eigenvalue iteration squares the entries, which must not overflow. */
function scaledCovariance({ scatter, mean, count }: PointCloud, scale: number): DenseMatrix {
  const dims = mean.length;
  const matrix = DenseMatrix.zeros(dims, dims);
  for (let row = 0; row < dims; row++) {
    for (let column = row; column < dims; column++) {
      const value = (scatter[row * dims + column] ?? 0) / count / scale;
      if (Math.abs(value) < negligible) continue;
      matrix.set(row, column, value);
      matrix.set(column, row, value);
    }
  }
  return matrix;
}

/** The distribution of a cloud's variance over its principal components. */
export function spread(cloud: PointCloud): Spread {
  // The eigenvalue iteration never ends on NaN.
  const scale = scaleOf(cloud);
  if (scale === 0 || !cloud.scatter.every(Number.isFinite)) return noSpread;
  const eigenvalues = new PCA(scaledCovariance(cloud, scale), { isCovarianceMatrix: true }).getEigenvalues();
  // A covariance has no negative eigenvalue; rounding leaves some just below 0.
  const variances = eigenvalues.map((value) => Math.max(value, 0) * scale).sort((a, b) => b - a);
  const largest = variances[0] ?? 0;
  if (largest === 0) return noSpread;
  // Relative to the largest, so that no square underflows.
  const shares = variances.map((value) => value / largest);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const squares = shares.reduce((sum, share) => sum + share * share, 0);
  return { variances, explained: shares.map((share) => share / total), participationRatio: (total * total) / squares };
}

/**
 * The first `count` principal axes of a cloud: unit vectors by descending variance, each with its largest component positive.
 * @returns fewer axes if there are fewer dimensions, none if all points are equal or some are not finite; and the share of the variance along each.
 */
export function principalComponents(cloud: PointCloud, count: number): { readonly axes: readonly Float64Array[]; readonly explained: readonly number[] } {
  const scale = scaleOf(cloud);
  if (scale === 0 || !cloud.scatter.every(Number.isFinite)) return { axes: [], explained: [] };
  const found = new PCA(scaledCovariance(cloud, scale), { isCovarianceMatrix: true });
  const vectors = found.getEigenvectors();
  const variances = found.getEigenvalues().map((value) => Math.max(value, 0));
  const total = variances.reduce((sum, variance) => sum + variance, 0);
  const axes = Array.from({ length: Math.min(count, cloud.mean.length) }, (_, axis) => pointedUp(Float64Array.from(vectors.getColumn(axis))));
  return { axes, explained: axes.map((_, axis) => (variances[axis] ?? 0) / total) };
}

function pointedUp(axis: Float64Array): Float64Array {
  const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? axis.map((value) => -value) : axis;
}
