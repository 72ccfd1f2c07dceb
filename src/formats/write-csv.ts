import { durableCreateFile } from "./durable-write.js";
import { type Dtype, itemSizes, Matrix } from "./matrix.js";
import { rowChunks } from "./row-chunks.js";
import type { RowSource } from "./row-source.js";

/**
 * Write a matrix as CSV: a header `token,0,1,…`, then a line a row, every number exact to its last digit (`nan`, `inf`, `-inf` as in numpy).
 *
 * @throws {BhBridgeError} as `writeSafetensors`.
 */
export function writeCsv(path: string, rows: RowSource): void {
  const { dtype, columns } = rows;
  const tokenOf = (row: number): number => rows.rowTokens?.ofRow(row) ?? row;
  durableCreateFile(path, (write) => {
    write(Buffer.from(`token,${Array.from({ length: columns }, (_, column) => column).join(",")}\n`));
    for (const { first, count, bytes } of rowChunks(rows)) {
      const cells = texts(dtype, bytes);
      const lines = Array.from({ length: count }, (_, row) => `${tokenOf(first + row)},${cells.slice(row * columns, (row + 1) * columns).join(",")}\n`);
      write(Buffer.from(lines.join("")));
    }
  });
}

function texts(dtype: Dtype, bytes: Uint8Array): string[] {
  if (dtype === "I64" || dtype === "U64") {
    const copy = bytes.slice().buffer;
    return [...(dtype === "I64" ? new BigInt64Array(copy) : new BigUint64Array(copy))].map(String);
  }
  const values = new Matrix(dtype, [bytes.byteLength / itemSizes[dtype]], bytes).toFloat64();
  return Array.from(values, numberText);
}

function numberText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
