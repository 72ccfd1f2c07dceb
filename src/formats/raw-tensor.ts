import type { FileBytes } from "./file-bytes.js";
import { itemSizes } from "./matrix.js";
import type { RowSource } from "./row-source.js";
import { readableDtype, rowsAndColumns, type StoredTensor, type TensorInfo } from "./stored-tensor.js";

/** A tensor whose elements lie dense, row-major and little-endian at `offset` of a plain file; the caller has checked that they do. */
export function rawTensor(file: FileBytes, offset: number, info: TensorInfo): StoredTensor {
  return {
    ...info,
    rows(): RowSource {
      const dtype = readableDtype(info, file.path);
      const { rows, columns } = rowsAndColumns(info.shape);
      const rowBytes = columns * itemSizes[dtype];
      return {
        source: file.path,
        dtype,
        rows,
        columns,
        raw: { path: file.path, offset },
        read(first, count, target) {
          const wanted = target.subarray(0, count * rowBytes);
          file.readInto(offset + first * rowBytes, wanted, `tensor "${info.name}"`);
        },
      };
    },
  };
}
