import type { Matrix } from "../formats/matrix.js";
import { requireMatrix } from "../formats/require-matrix.js";
import { roundToBfloat16 } from "./bfloat16.js";
import { bfloat16Centroid } from "./bfloat16-centroid.js";
import { centroid } from "./centroid.js";
import { euclideanNorm } from "./euclidean-norm.js";

/** How far the centroid moved, at three precisions. */
export interface Displacement {
  readonly float64: number;
  /** The float64 figure, rounded once. */
  readonly float32: number;
  /** The notebook's figure: `(final.mean(dim=0) - initial.mean(dim=0)).norm().item()` in torch's bfloat16. */
  readonly bfloat16: number;
}

function difference(final: Float64Array, initial: Float64Array): Float64Array {
  return final.map((value, column) => value - (initial[column] ?? 0));
}

/**
 * L2 norm of (final centroid − initial centroid).
 *
 * @param initial `[tokens, dims]` before training.
 * @param final `[tokens, dims]`, the last state.
 */
export function displacement(initial: Matrix, final: Matrix): Displacement {
  requireMatrix(initial, "initial");
  requireMatrix(final, "final");
  const float64 = euclideanNorm(difference(centroid(final), centroid(initial)));
  const notebook = difference(bfloat16Centroid(final), bfloat16Centroid(initial)).map(roundToBfloat16);
  return { float64, float32: Math.fround(float64), bfloat16: roundToBfloat16(Math.fround(euclideanNorm(notebook))) };
}
