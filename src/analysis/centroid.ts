import type { Matrix } from "../formats/matrix.js";

/**
 * The mean row of a matrix over its rows, summed and divided in float64.
 *
 * @param matrix `[rows, columns]` of any dtype; NaN where a column holds NaN, or where there is no row.
 * @returns `columns` numbers.
 */
export function centroid(matrix: Matrix): Float64Array {
  const { rows, columns } = matrix;
  const values = matrix.toFloat64();
  const mean = new Float64Array(columns);
  for (let row = 0, index = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, index++) mean[column] = (mean[column] ?? 0) + (values[index] ?? 0);
  }
  for (let column = 0; column < columns; column++) mean[column] = (mean[column] ?? 0) / rows;
  return mean;
}
