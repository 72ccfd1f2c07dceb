import { itemSizes, type Matrix } from "../formats/matrix.js";
import { decodeElements } from "./decode-elements.js";

/** Rows decoded at a time: enough to be fast, and little memory beside a matrix of any height. */
const rowsAtATime = 256;

/** Call `visit` with every row of a matrix in turn, decoded into the same float64 memory. */
export function forEachRow(matrix: Matrix, visit: (values: Float64Array, row: number) => void): void {
  const { dtype, bytes, rows, columns } = matrix;
  const rowBytes = columns * itemSizes[dtype];
  const block = new Float64Array(Math.min(rows, rowsAtATime) * columns);
  for (let first = 0; first < rows; first += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - first);
    decodeElements(dtype, bytes.subarray(first * rowBytes, (first + count) * rowBytes), block.subarray(0, count * columns));
    for (let row = 0; row < count; row++) visit(block.subarray(row * columns, (row + 1) * columns), first + row);
  }
}
