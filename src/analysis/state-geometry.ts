import type { Matrix } from "../formats/matrix.js";
import { requireMatrix } from "../formats/require-matrix.js";
import { decodeElements } from "./decode-elements.js";
import { geometryOfValues, type StateGeometry } from "./geometry-of-values.js";

/**
 * Centroid and radii of one state, in float64; NaN where rows hold NaN or infinity.
 *
 * @param matrix `[tokens, dims]` of any dtype.
 */
export function stateGeometry(matrix: Matrix): StateGeometry {
  requireMatrix(matrix, "matrix");
  const values = new Float64Array(matrix.rows * matrix.columns);
  decodeElements(matrix.dtype, matrix.bytes, values);
  return geometryOfValues(values, matrix.rows, matrix.columns);
}
