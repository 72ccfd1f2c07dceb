import { type BasicType, parquetWriteBuffer } from "hyparquet-writer";
import type { SweepTrial } from "./sweep-document.js";
import { type ColumnKind, trialTable } from "./trial-table.js";

const types: Readonly<Record<ColumnKind, BasicType>> = { text: "STRING", truth: "BOOLEAN", whole: "INT64", real: "DOUBLE" };

/** The table of trials as a Parquet file: the columns of the CSV, each with its type; what is not there is null. */
export function parquetOfTrials(trials: readonly SweepTrial[]): Uint8Array {
  const { head, kinds, rows } = trialTable(trials);
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
