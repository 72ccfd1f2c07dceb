import { expect, test } from "vitest";
import { loadMatrix } from "../../../src/formats/load-matrix.js";
import type { StoredTensor } from "../../../src/formats/stored-tensor.js";

/** A tensor of bytes whose rows hold their number, and the rows that were read at a time. */
function tensor(rows: number, columns: number): StoredTensor & { readonly pieces: number[] } {
  const pieces: number[] = [];
  return {
    name: "w",
    dtype: "U8",
    shape: [rows, columns],
    bytes: rows * columns,
    file: "x",
    pieces,
    rows: () => ({
      source: "memory",
      dtype: "U8",
      rows,
      columns,
      read(first, count, target) {
        pieces.push(count);
        for (let row = 0; row < count; row++) target.fill(first + row + 1, row * columns, (row + 1) * columns);
      },
    }),
  };
}

const large = 40 * 2 ** 20;

test("a small tensor is read at once, a large one in pieces", async () => {
  const small = tensor(3, 2);
  expect([...(await loadMatrix(small)).bytes]).toEqual([1, 1, 2, 2, 3, 3]);
  expect(small.pieces).toEqual([3]);
  const wide = tensor(2, large);
  const matrix = await loadMatrix(wide);
  expect(wide.pieces).toEqual([1, 1]);
  expect([0, 1].map((row) => matrix.at(row, large - 1))).toEqual([1, 2]);
});

test.each([
  [0, 3],
  [3, 0],
])("a tensor of %d × %d is nothing", async (rows, columns) => {
  expect((await loadMatrix(tensor(rows, columns))).shape).toEqual([rows, columns]);
});

test("it ends between pieces when it is told to, and does not begin when it was told before", async () => {
  const controller = new AbortController();
  const wide = tensor(2, large);
  const loading = loadMatrix(wide, controller.signal);
  controller.abort("enough");
  await expect(loading).rejects.toMatchObject({ code: "ABORTED", message: 'reading tensor "w" was cancelled', cause: "enough" });
  expect(wide.pieces).toEqual([1]);
  const none = tensor(1, 1);
  await expect(loadMatrix(none, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
  expect(none.pieces).toEqual([]);
});
