import type { Matrix } from "../formats/matrix.js";
import { rowClasses } from "./row-classes.js";
import { rowValues } from "./row-values.js";
import { selectRows } from "./select-rows.js";

const magnitudeMask = 0x7fff;
const infinityBits = 0x7f80;

/** The unique rows of a bfloat16 matrix as points with whole coordinates. */
interface LatticePoints {
  /** `[nodes, dims]`, row-major. */
  readonly points: Int32Array;
  /** The first row of each, ascending. */
  readonly firstRows: Int32Array;
  /** 1 for a row with NaN, which has no place on the lattice. */
  readonly hasNan: Uint8Array;
}

/** Place of a bfloat16 on the line of all bfloat16s in the order of their values: neighbours differ by 1, and ±0 are both 0. */
export function latticePlace(bits: number): number {
  const magnitude = bits & magnitudeMask;
  return bits === magnitude ? magnitude : -magnitude;
}

/** The unique rows of a bfloat16 matrix `[tokens, dims]` on the lattice, in the order of their first row. */
export function latticePoints(matrix: Matrix): LatticePoints {
  const { dtype, bytes, rows, columns } = matrix;
  const classes = rowClasses(rowValues(dtype, bytes, columns), selectRows(rows));
  const firstRows = classes.filter((first, row) => first === row);
  const bits = new Uint16Array(new Uint8Array(bytes).buffer);
  const points = new Int32Array(firstRows.length * columns);
  const hasNan = new Uint8Array(firstRows.length);
  for (const [node, row] of firstRows.entries()) {
    for (let dim = 0; dim < columns; dim++) {
      const place = latticePlace(bits[row * columns + dim] ?? 0);
      points[node * columns + dim] = place;
      if (Math.abs(place) > infinityBits) hasNan[node] = 1;
    }
  }
  return { points, firstRows, hasNan };
}
