import type { Matrix } from "../formats/matrix.js";
import { roundToBfloat16 } from "./bfloat16.js";
import { forEachRow } from "./for-each-row.js";

/** torch sums in four accumulators; each is emptied into the next when it has taken a step's worth of rows (SumKernel.cpp, `multi_row_sum`). */
const levels = 4;
const minimumLevelPower = 4;

function addInto(target: Float32Array, source: ArrayLike<number>): void {
  for (let column = 0; column < target.length; column++) target[column] = (target[column] ?? 0) + (source[column] ?? 0);
}

/** Sums of the columns in float32, in the order in which torch's CPU kernel adds rows. */
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
 * The mean row as `tensor.mean(dim=0)` gives it for a bfloat16 tensor on the CPU: summed and divided in float32, rounded once.
 *
 * @param matrix `[rows, columns]`; of any other dtype, it is rounded to bfloat16 first.
 * @returns `columns` numbers, each a bfloat16.
 */
export function bfloat16Centroid(matrix: Matrix): Float64Array {
  return Float64Array.from(cascadeSums(matrix), (sum) => roundToBfloat16(Math.fround(sum / matrix.rows)));
}
