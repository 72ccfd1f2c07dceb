import { BhBridgeError } from "../../errors.js";
import type { FileBytes } from "../file-bytes.js";
import { type Dtype, itemSizes, type RowSource } from "../matrix.js";
import { rowsAndColumns } from "../stored-tensor.js";

/** A tensor whose elements lie `strides` elements apart; the caller has checked that all of them lie in the file. */
interface StridedLayout {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Byte offset of the first element in the file. */
  readonly offset: number;
}

/**
 * The part of the file that a view covers is held in memory while its rows are gathered; a larger one is refused.
 * A transposed float32 embedding of GPT-2 (50,257 × 768) covers 154 MB.
 */
const maxSpanBytes = 256 * 2 ** 20;

/**
 * The rows of a view that is not dense and row-major: transposed, sliced, expanded, or overlapping itself.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` when the view covers more than `maxSpanBytes`.
 */
export function stridedRows(file: FileBytes, name: string, layout: StridedLayout): RowSource {
  const { dtype, shape, strides } = layout;
  const { rows, columns } = rowsAndColumns(shape);
  const size = itemSizes[dtype];
  const spanBytes = rows === 0 ? 0 : (shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 0) + 1) * size;
  if (spanBytes > maxSpanBytes) {
    const remedy = "Save a contiguous copy of it (tensor.contiguous().clone())";
    throw new BhBridgeError(
      "FORMAT_UNSUPPORTED",
      `tensor "${name}" of ${file.path} is a view over ${spanBytes} bytes; views are read up to ${maxSpanBytes}. ${remedy}`,
    );
  }
  let span: Uint8Array | undefined;
  return {
    source: file.path,
    dtype,
    rows,
    columns,
    read(first, count, target) {
      span ??= file.read(layout.offset, spanBytes, `tensor "${name}"`);
      const columnStride = (strides.at(-1) ?? 0) * size;
      let out = 0;
      for (let row = first; row < first + count; row++) {
        let at = rowStart(row, shape, strides) * size;
        for (let column = 0; column < columns; column++, at += columnStride) {
          for (let byte = 0; byte < size; byte++) target[out++] = span[at + byte] ?? 0;
        }
      }
    },
  };
}

/** The element at which a row begins, its number taken apart into indices over all dimensions but the last. */
function rowStart(row: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = row;
  let start = 0;
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    start += (rest % length) * (strides[axis] ?? 0);
    rest = Math.floor(rest / length);
  }
  return start;
}

/** Whether elements lie dense in row-major order; dimensions of one element may have any stride. */
export function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}
