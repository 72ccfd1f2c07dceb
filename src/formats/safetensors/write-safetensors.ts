import { durableCreateFile } from "../durable-write.js";
import { itemSizes } from "../matrix.js";
import { rowChunks } from "../row-chunks.js";
import type { RowSource } from "../row-source.js";

/** A tensor to be written: its rows are read while the file is written. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rows: RowSource;
}

/** The library aligns its data so. */
const alignment = 8;

/**
 * Write tensors as a safetensors file, in memory that does not grow with them.
 *
 * @throws {BhBridgeError} `FILE_UNWRITABLE` (also when the file exists), `DISK_FULL`, `IO_FAILED`; what reading the rows throws.
 */
export function writeSafetensors(path: string, tensors: readonly WritableTensor[], metadata: Readonly<Record<string, string>> = {}): void {
  const entries: [string, unknown][] = [["__metadata__", { format: "pt", ...metadata }]];
  let end = 0;
  for (const { name, shape, rows } of tensors) {
    const start = end;
    end += shape.reduce((product, length) => product * length, itemSizes[rows.dtype]);
    entries.push([name, { dtype: rows.dtype, shape, data_offsets: [start, end] }]);
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(8 + Math.ceil(text.length / alignment) * alignment, " ");
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  durableCreateFile(path, (write) => {
    write(header);
    for (const { rows } of tensors) for (const { bytes } of rowChunks(rows)) write(bytes);
  });
}
