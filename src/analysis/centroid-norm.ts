import type { Matrix } from "../formats/matrix.js";
import { requireMatrix } from "../formats/require-matrix.js";
import { centroid } from "./centroid.js";
import { euclideanNorm } from "./euclidean-norm.js";

/**
 * L2 norm of the mean row of an embedding matrix, in float64.
 *
 * The notebook prints the same in bfloat16, where it moves in steps of 1/256 near 0.8.
 *
 * @param matrix `[tokens, dims]` of any dtype.
 */
export function centroidNorm(matrix: Matrix): number {
  requireMatrix(matrix, "matrix");
  return euclideanNorm(centroid(matrix));
}
