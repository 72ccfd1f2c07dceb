import { FileBytes } from "../formats/file-bytes.js";
import { type Dtype, itemSizes } from "../formats/matrix.js";
import type { Census } from "./census.js";
import { censusOfRows } from "./census-of-rows.js";
import type { ScanOptions } from "./scan/scan-options.js";

/** A matrix that lies row-major and little-endian in a plain file. */
export interface FileRegion {
  readonly path: string;
  /** Byte at which it begins. */
  readonly offset: number;
  readonly dtype: Dtype;
  /** Its rows run over the last dimension. */
  readonly shape: readonly number[];
}

/**
 * The census of a matrix in a plain file, as `censusOfRows`.
 *
 * @throws {BhBridgeError} `FORMAT_INVALID` when the file ends before the matrix; `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `USAGE`; `ABORTED`.
 */
export async function censusOfFile({ path, offset, dtype, shape }: FileRegion, rows?: readonly number[], options?: ScanOptions): Promise<Census> {
  const columns = shape.at(-1) ?? 1;
  const count = shape.reduce((product, size) => product * size, 1);
  const rowBytes = columns * itemSizes[dtype];
  const file = new FileBytes(path);
  try {
    const read = (first: number, _count: number, target: Uint8Array): void => file.readInto(offset + first * rowBytes, target, "the matrix");
    const source = { source: path, dtype, rows: columns === 0 ? 0 : count / columns, columns, raw: { path, offset }, read };
    return await censusOfRows(source, rows, options);
  } finally {
    file.close();
  }
}
