import { Matrix as DenseMatrix } from "ml-matrix";
import { PCA } from "ml-pca";
import type { PointCloud } from "./state-geometry.js";

/** In how many directions points spread, and how far; nulls when all points are equal or some are not finite. */
export interface Spread {
  /** Eigenvalues of the covariance (divided by the number of points), descending, one a dimension. */
  readonly variances: readonly number[] | null;
  /** Each variance as a share of their sum. */
  readonly explained: readonly number[] | null;
  /** (Σλ)²/Σλ²: the number of directions, if the variance were equal in each. */
  readonly participationRatio: number | null;
}

const noSpread: Spread = { variances: null, explained: null, participationRatio: null };

/** What is smaller beside a largest entry of 1 is taken as 0: no eigenvalue has a digit of it, and the eigenvalue iteration fails on subnormal numbers. */
const negligible = 2 ** -500;

/** A power of two near the largest entry of a cloud's covariance: 0 when all points are equal, or so near that no float64 holds their variance. */
function scaleOf({ scatter, count, varies }: PointCloud): number {
  if (!varies) return 0;
  return 2 ** Math.floor(Math.log2(scatter.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0) / count));
}

/** The covariance of a cloud over a power of two near its largest entry: the eigenvalue iteration squares the entries, which must not overflow. */
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

/** Principal components of a cloud of points: how its variance is spread over directions. */
export function spread(cloud: PointCloud): Spread {
  // The eigenvalue iteration does not end on NaN.
  const scale = scaleOf(cloud);
  if (scale === 0 || !cloud.scatter.every(Number.isFinite)) return noSpread;
  const eigenvalues = new PCA(scaledCovariance(cloud, scale), { isCovarianceMatrix: true }).getEigenvalues();
  // A covariance has no negative eigenvalue; rounding leaves some just below 0.
  const variances = eigenvalues.map((value) => Math.max(value, 0) * scale).sort((a, b) => b - a);
  const largest = variances[0] ?? 0;
  if (largest === 0) return noSpread;
  // As shares of the largest, so that no square is too small for a float64.
  const shares = variances.map((value) => value / largest);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const squares = shares.reduce((sum, share) => sum + share * share, 0);
  return { variances, explained: shares.map((share) => share / total), participationRatio: (total * total) / squares };
}

/** The directions in which a cloud spreads most: unit vectors, the widest first, each with its largest component positive. */
interface PrincipalComponents {
  readonly axes: readonly Float64Array[];
  /** Share of the variance along each. */
  readonly explained: readonly number[];
}

/** @returns `count` directions; fewer where there are fewer dimensions, none where all points are equal or some are not finite. */
export function principalComponents(cloud: PointCloud, count: number): PrincipalComponents {
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
