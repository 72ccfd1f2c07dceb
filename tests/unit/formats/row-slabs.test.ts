import fc from "fast-check";
import { expect, test } from "vitest";
import { rowSlabs } from "../../../src/formats/row-slabs.js";

/** Numbers of the rows in a box, front to back, by counting: rows run over the last dimension. */
function rowsOfBox(shape: readonly number[], offset: readonly number[], count: readonly number[]): number[] {
  const rows: number[] = [];
  const visit = (dimension: number, row: number): void => {
    if (dimension === shape.length - 1) {
      rows.push(row);
      return;
    }
    const from = offset[dimension] ?? 0;
    for (let index = from; index < from + (count[dimension] ?? 0); index++) visit(dimension + 1, row * (shape[dimension] ?? 0) + index);
  };
  visit(0, 0);
  return rows;
}

test("the boxes cover the rows that were asked for, each once, in order, and every column of them", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.nat(300), fc.nat(300), (shape, a, b) => {
      const total = shape.slice(0, -1).reduce((product, size) => product * size, 1);
      const first = a % total;
      const count = 1 + (b % (total - first));
      const slabs = [...rowSlabs(shape, first, count)];
      const covered = slabs.flatMap(({ offset, count: sizes }) => rowsOfBox(shape, offset, sizes));
      expect(covered).toEqual(Array.from({ length: count }, (_, row) => first + row));
      let next = first;
      for (const slab of slabs) {
        expect(slab.firstRow).toBe(next);
        expect([slab.offset.at(-1), slab.count.at(-1)]).toEqual([0, shape.at(-1)]);
        next += slab.rows;
      }
    }),
  );
});

test("whole blocks are one box", () => {
  expect([...rowSlabs([4, 3, 2], 0, 12)]).toEqual([{ firstRow: 0, rows: 12, offset: [0, 0, 0], count: [4, 3, 2] }]);
});
