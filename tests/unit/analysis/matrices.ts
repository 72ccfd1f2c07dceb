import { Matrix } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";

/** A matrix of float64 rows. */
export function float64Matrix(rows: readonly (readonly number[])[], tokens?: readonly number[], vocabulary = 128): Matrix {
  const bytes = new Uint8Array(Float64Array.from(rows.flat()).buffer);
  const columns = rows[0]?.length ?? 0;
  return new Matrix("F64", [rows.length, columns], bytes, tokens && new RowTokens({ vocabulary, ids: tokens }));
}

/** A bfloat16 matrix of rows whose elements are given as bits. */
export function bfloat16Matrix(rows: readonly (readonly number[])[]): Matrix {
  return new Matrix("BF16", [rows.length, rows[0]?.length ?? 0], new Uint8Array(Uint16Array.from(rows.flat()).buffer));
}
