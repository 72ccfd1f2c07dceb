import type { Matrix } from "../formats/matrix.js";
import { forEachRow } from "./for-each-row.js";

/** The tokens of a matrix whose rows hold NaN or infinity, ascending. */
export function nonfiniteTokens(matrix: Matrix): number[] {
  const rows: number[] = [];
  forEachRow(matrix, (values, row) => {
    if (!values.every((value) => Number.isFinite(value))) rows.push(row);
  });
  return matrix.rowTokens.ofRows(rows);
}
