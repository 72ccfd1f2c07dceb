import { type Matrix, requireMatrix } from "../../formats/matrix.js";
import { forEachRow, roundToBfloat16 } from "../elements.js";

/** The L2 norm √Σx², in float64. */
export function euclideanNorm(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index++) sum += (vector[index] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** The L2 norm of a − b, in float64; in one loop without copies, since it is called for pairs of rows. */
export function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += ((a[index] ?? 0) - (b[index] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** The scalar product Σab, in float64. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, column) => value - (b[column] ?? 0));
}

/**
 * The mean row of a matrix, summed and divided in float64.
 * @param matrix `[rows, columns]` of any dtype.
 * @returns `columns` numbers; NaN for columns with NaN, and if there is no row.
 */
export function centroid(matrix: Matrix): Float64Array {
  requireMatrix(matrix, "matrix");
  const sum = new Float64Array(matrix.columns);
  forEachRow(matrix, (values) => {
    for (let column = 0; column < sum.length; column++) sum[column] = (sum[column] ?? 0) + (values[column] ?? 0);
  });
  return sum.map((total) => total / matrix.rows);
}

/**
 * L2 norm of the mean row of an embedding matrix, in float64. The notebook prints it in bfloat16, in steps of 1/256 near 0.8.
 * @param matrix `[tokens, dims]` of any dtype.
 */
export function centroidNorm(matrix: Matrix): number {
  requireMatrix(matrix, "matrix");
  return euclideanNorm(centroid(matrix));
}

/** torch sums in four accumulators and adds each to the next after a fixed number of rows (SumKernel.cpp, `multi_row_sum`). */
const levels = 4;
const minimumLevelPower = 4;

function addInto(target: Float32Array, source: ArrayLike<number>): void {
  for (let column = 0; column < target.length; column++) target[column] = (target[column] ?? 0) + (source[column] ?? 0);
}

/** Column sums in float32, in the order of torch's CPU kernel. */
function cascadeSums(matrix: Matrix): Float32Array {
  const levelPower = Math.max(minimumLevelPower, Math.floor(Math.ceil(Math.log2(matrix.rows)) / levels));
  const step = 2 ** levelPower;
  const wholeSteps = Math.floor(matrix.rows / step) * step;
  const sums = Array.from({ length: levels }, () => new Float32Array(matrix.columns));
  const [result = new Float32Array(matrix.columns)] = sums;
  forEachRow(matrix, (values, row) => {
    addInto(result, matrix.dtype === "BF16" ? values : values.map((value) => roundToBfloat16(Math.fround(value))));
    const taken = row + 1;
    if (taken > wholeSteps || taken % step !== 0) return;
    for (const [level, sum] of sums.entries()) {
      const lower = sums[level - 1];
      if (!lower) continue;
      addInto(sum, lower);
      lower.fill(0);
      if (Math.floor(taken / step ** level) % step !== 0) break;
    }
  });
  for (const sum of sums.slice(1)) addInto(result, sum);
  return result;
}

/**
 * The mean row as `tensor.mean(dim=0)` computes it for a bfloat16 tensor on the CPU: summed and divided in float32, rounded once.
 * @param matrix `[rows, columns]`; other dtypes are rounded to bfloat16 first.
 * @returns `columns` numbers, each a bfloat16.
 */
export function bfloat16Centroid(matrix: Matrix): Float64Array {
  return Float64Array.from(cascadeSums(matrix), (sum) => roundToBfloat16(Math.fround(sum / matrix.rows)));
}

/** Distance that the centroid moved, at three precisions. */
export interface Displacement {
  readonly float64: number;
  /** The float64 distance, rounded once. */
  readonly float32: number;
  /** As in the notebook: `(final.mean(dim=0) - initial.mean(dim=0)).norm().item()` in torch's bfloat16. */
  readonly bfloat16: number;
}

/** L2 norm of (final centroid − initial centroid). @param initial `[tokens, dims]` before training. @param final `[tokens, dims]`, the last state. */
export function displacement(initial: Matrix, final: Matrix): Displacement {
  requireMatrix(initial, "initial");
  requireMatrix(final, "final");
  const float64 = distance(centroid(final), centroid(initial));
  const notebook = difference(bfloat16Centroid(final), bfloat16Centroid(initial)).map(roundToBfloat16);
  return { float64, float32: Math.fround(float64), bfloat16: roundToBfloat16(Math.fround(euclideanNorm(notebook))) };
}
