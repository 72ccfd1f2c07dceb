import type { Matrix } from "../formats/matrix.js";
import { requireMatrix } from "../formats/require-matrix.js";
import { forEachRow } from "./for-each-row.js";

/**
 * The mean row of a matrix, summed and divided in float64.
 *
 * @param matrix `[rows, columns]` of any dtype.
 * @returns `columns` numbers; NaN where a column holds NaN, and when there is no row.
 */
export function centroid(matrix: Matrix): Float64Array {
  requireMatrix(matrix, "matrix");
  const sum = new Float64Array(matrix.columns);
  forEachRow(matrix, (values) => {
    for (let column = 0; column < sum.length; column++) sum[column] = (sum[column] ?? 0) + (values[column] ?? 0);
  });
  return sum.map((total) => total / matrix.rows);
}
