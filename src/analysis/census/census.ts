import { BhBridgeError } from "../../errors.js";
import { type Matrix, requireMatrix } from "../../formats/matrix.js";
import type { RowTokens } from "../../formats/row-tokens.js";
import { type RowValues, rowValues } from "./row-values.js";

/** The selected rows (default: all `count`), ascending and distinct. @throws {BhBridgeError} `USAGE` if a row is not an integer from 0 to `count − 1`. */
export function selectRows(count: number, rows?: readonly number[]): Int32Array {
  if (rows === undefined) return new Int32Array(count).map((_, row) => row);
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= count) {
      throw new BhBridgeError("USAGE", `row ${row} is not in a matrix of ${count} rows. Use rows from 0 to ${count - 1}`);
    }
  }
  return Int32Array.from(new Set(rows)).sort();
}

const emptySlot = -1;

/**
 * The class of each selected row: the position, in `rows`, of the first row with the same value. Every row with NaN is a class of its own. Rows with equal hashes
 * are compared.
 * @param rows indices of rows, ascending and distinct.
 * @returns as many entries as `rows`; entry i is at most i.
 */
export function rowClasses(values: RowValues, rows: ArrayLike<number>): Int32Array {
  const classes = new Int32Array(rows.length);
  const mask = 2 ** Math.ceil(Math.log2(Math.max(rows.length, 1) * 2)) - 1; // an open-addressing table, at most half full
  const slots = new Int32Array(mask + 1).fill(emptySlot);
  const hashes = new Int32Array(rows.length);
  for (let position = 0; position < rows.length; position++) {
    const row = rows[position] ?? 0;
    const hash = values.hash(row);
    classes[position] = position;
    if (hash === null) continue;
    hashes[position] = hash;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const candidate = slots[slot] ?? emptySlot;
      if (candidate === emptySlot) {
        slots[slot] = position;
        break;
      }
      if (hashes[candidate] === hash && values.equal(rows[candidate] ?? 0, row)) {
        classes[position] = candidate;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return classes;
}

/** Distinct and shared rows of a matrix. A black hole is a value that two or more rows share. */
export interface Census {
  readonly rows: number;
  /** Distinct values among them. */
  readonly unique: number;
  /** Black holes. */
  readonly C: number;
  /** Rows in black holes. */
  readonly P: number;
  /** Rows in each black hole, descending; ties are in the order of their first member. */
  readonly populations: readonly number[];
  /** Tokens of each black hole, ascending, in the order of `populations`. */
  readonly members: readonly (readonly number[])[];
  /** Texts of these tokens, null for a token without one; absent if the vocabulary is unknown. */
  readonly texts?: readonly (readonly (string | null)[])[];
}

/**
 * Unique rows of a matrix and the groups that share a value. Equality is by value: −0 equals 0, infinities equal themselves, and a row with NaN equals no row.
 * @param matrix `[rows, columns]` of any dtype.
 * @param tokens tokens to select, in any order (default: all). Duplicates count once.
 * @throws {BhBridgeError} `USAGE` for a token without a row in the matrix.
 */
export function census(matrix: Matrix, tokens?: readonly number[]): Census {
  requireMatrix(matrix, "matrix");
  const { dtype, bytes, columns, rows, rowTokens } = matrix;
  const selected = selectRows(rows, tokens && rowTokens.rowsOf(tokens));
  return censusOfClasses(rowClasses(rowValues(dtype, bytes, columns), selected), selected, rowTokens);
}

/**
 * The census of classified rows.
 * @param classes for each selected row, the position of the first row with the same value (`rowClasses`).
 * @param rows the row index of each position, ascending.
 */
export function censusOfClasses(classes: Int32Array, rows: ArrayLike<number>, rowTokens: RowTokens): Census {
  const groups = new Map<number, number[]>();
  for (let position = 0; position < classes.length; position++) {
    const first = classes[position] ?? position;
    if (first === position) continue;
    const group = groups.get(first);
    if (group) group.push(rows[position] ?? position);
    else groups.set(first, [rows[first] ?? first, rows[position] ?? position]);
  }
  const tokens = [...groups.values()].map((group) => rowTokens.ofRows(group));
  const members = tokens.sort((a, b) => b.length - a.length || (a[0] ?? 0) - (b[0] ?? 0));
  const populations = members.map((group) => group.length);
  const P = populations.reduce((sum, population) => sum + population, 0);
  const counts = { rows: classes.length, unique: classes.length - P + members.length, C: members.length, P };
  const { text } = rowTokens;
  return { ...counts, populations, members, ...(text && { texts: members.map((group) => group.map(text)) }) };
}
