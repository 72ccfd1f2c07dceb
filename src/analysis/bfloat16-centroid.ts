import type { Matrix } from "../formats/matrix.js";
import { roundToBfloat16 } from "./bfloat16.js";

/** torch sums in four accumulators, each fed by the one before when that has taken a step's worth of rows (SumKernel.cpp, `multi_row_sum`). */
const levels = 4;
const minimumLevelPower = 4;

/** Sum of one column in float32, in the order in which torch's CPU kernel adds rows. */
function cascadeSum(values: Float32Array, column: number, rows: number, columns: number): number {
  const levelPower = Math.max(minimumLevelPower, Math.floor(Math.ceil(Math.log2(rows)) / levels));
  const step = 2 ** levelPower;
  const sums = new Float32Array(levels);
  let row = 0;
  const add = (): void => {
    sums[0] = (sums[0] ?? 0) + (values[row * columns + column] ?? 0);
    row++;
  };
  while (row + step <= rows) {
    for (let taken = 0; taken < step; taken++) add();
    for (let level = 1; level < levels; level++) {
      sums[level] = (sums[level] ?? 0) + (sums[level - 1] ?? 0);
      sums[level - 1] = 0;
      if (Math.floor(row / step ** level) % step !== 0) break;
    }
  }
  while (row < rows) add();
  for (let level = 1; level < levels; level++) sums[0] = (sums[0] ?? 0) + (sums[level] ?? 0);
  return sums[0] ?? 0;
}

/**
 * The mean row as `tensor.mean(dim=0)` gives it for a bfloat16 tensor: summed and divided in float32, rounded once.
 *
 * @param matrix `[rows, columns]`; values are taken as float32.
 * @returns `columns` numbers, each a bfloat16.
 */
export function bfloat16Centroid(matrix: Matrix): Float64Array {
  const { rows, columns } = matrix;
  const values = matrix.toFloat32();
  return Float64Array.from({ length: columns }, (_, column) => roundToBfloat16(Math.fround(cascadeSum(values, column, rows, columns) / rows)));
}
