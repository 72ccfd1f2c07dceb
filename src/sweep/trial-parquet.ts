import { type BasicType, parquetWriteBuffer } from "hyparquet-writer";
import type { ColumnKind, TrialTable } from "./trial-table.js";

const types: Readonly<Record<ColumnKind, BasicType>> = { text: "STRING", truth: "BOOLEAN", whole: "INT64", real: "DOUBLE" };

/** A table as a Parquet file: the columns of the CSV, each with its type; a missing value is null. */
export function parquetOfTrials({ head, kinds, rows }: TrialTable): Uint8Array {
  const columnData = head.map((name, column) => {
    const kind = kinds[column] ?? "text";
    return { name, type: types[kind], data: rows.map((row) => stored(row[column] ?? null, kind)) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function stored(cell: string | number | boolean | null, kind: ColumnKind): string | number | boolean | bigint | null {
  if (cell === null) return null;
  if (kind === "whole") return BigInt(cell);
  return kind === "text" ? String(cell) : cell;
}
