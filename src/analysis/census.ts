import type { Matrix } from "../formats/matrix.js";
import { rowClasses } from "./row-classes.js";
import { rowValues } from "./row-values.js";
import { selectRows } from "./select-rows.js";

/** How many rows are distinct, and which rows share a value. A black hole is a value that two or more rows share. */
export interface Census {
  /** Rows that were looked at. */
  readonly rows: number;
  /** Distinct values among them. */
  readonly unique: number;
  /** Black holes. */
  readonly C: number;
  /** Rows in black holes. */
  readonly P: number;
  /** Rows in each black hole, descending; ties are in the order of their first member. */
  readonly populations: readonly number[];
  /** Row indices of each black hole, in the order of `populations`, ascending inside. */
  readonly members: readonly (readonly number[])[];
}

/**
 * Unique rows of a matrix and the groups that share a value.
 *
 * Equality is by value: −0 equals 0, infinities equal themselves, and a row with NaN equals nothing, not even its copy.
 *
 * @param matrix `[rows, columns]` of any dtype.
 * @param rows the rows to look at, in any order; all of them when absent. A row named twice counts once.
 * @throws {BhBridgeError} `USAGE` when `rows` names a row that the matrix does not have.
 */
export function census(matrix: Matrix, rows?: readonly number[]): Census {
  const selected = selectRows(matrix.rows, rows);
  return censusOfClasses(rowClasses(rowValues(matrix.dtype, matrix.bytes, matrix.columns), selected), selected);
}

/**
 * The census that classes amount to.
 *
 * @param classes for each looked-at row, the position of the first row with the same value (`rowClasses`).
 * @param rows the row index of each position, ascending.
 */
export function censusOfClasses(classes: Int32Array, rows: ArrayLike<number>): Census {
  const groups = new Map<number, number[]>();
  for (let position = 0; position < classes.length; position++) {
    const first = classes[position] ?? position;
    if (first === position) continue;
    const group = groups.get(first);
    if (group) group.push(rows[position] ?? position);
    else groups.set(first, [rows[first] ?? first, rows[position] ?? position]);
  }
  const members = [...groups.values()].sort((a, b) => b.length - a.length || (a[0] ?? 0) - (b[0] ?? 0));
  const populations = members.map((group) => group.length);
  const P = populations.reduce((sum, population) => sum + population, 0);
  return { rows: classes.length, unique: classes.length - P + members.length, C: members.length, P, populations, members };
}
