import type { RowValues } from "./row-values.js";

const emptySlot = -1;

/** Slots of an open-addressing table for `count` entries: a power of two, at most half full. */
function tableSize(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2));
}

/**
 * The class of each chosen row: the position, in `rows`, of the first row with the same value.
 *
 * A row that no earlier row equals is its own class, and so is every row with NaN. Every hash hit is verified by comparing the rows.
 *
 * @param rows indices of rows, ascending and distinct.
 * @returns as many entries as `rows`; entry i is at most i.
 */
export function rowClasses(values: RowValues, rows: ArrayLike<number>): Int32Array {
  const classes = new Int32Array(rows.length);
  const mask = tableSize(rows.length) - 1;
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
