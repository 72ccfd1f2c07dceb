import fc from "fast-check";
import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import { isDtype, isReadable, loadMatrix, readableDtype, readMatrix, rowSlabs, rowsAndColumns, type StoredTensor } from "../../../src/formats/stored-tensor.js";
import { memorySource } from "../analysis/memory-source.js";

const info = { name: "w", dtype: "F32", shape: [2, 2], bytes: 16, file: "x" };

test("a type that files may have and matrices have not is told before values are asked for", () => {
  expect([isDtype("BF16"), isDtype("bf16"), isDtype("F8_E4M3"), isDtype("toString")]).toEqual([true, false, false, false]);
  expect([isReadable(info), isReadable({ ...info, dtype: "C64" }), isReadable({ ...info, unreadable: "is virtual" })]).toEqual([true, false, false]);
  expect(readableDtype(info, "model.pt")).toBe("F32");
  expect(() => readableDtype({ ...info, dtype: "C64" }, "model.pt")).toThrow(
    expect.objectContaining({ code: "FORMAT_UNSUPPORTED", message: expect.stringMatching(/^tensor "w" of model\.pt is C64; readable are BF16, F16, /) }),
  );
});

test.each([
  [[], 1, 1],
  [[5], 1, 5],
  [[2, 3, 4], 6, 4],
  [[0, 3], 0, 3],
  [[3, 0], 0, 0],
])("a tensor of shape %j has %d rows of %d columns, as its matrix has", (shape, rows, columns) => {
  expect(rowsAndColumns(shape)).toEqual({ rows, columns });
  const matrix = new Matrix("U8", shape, new Uint8Array(rows * columns));
  expect({ rows: matrix.rows, columns: matrix.columns }).toEqual({ rows, columns });
});

test("a tensor is read whole, and keeps its shape", () => {
  const bytes = Uint8Array.from({ length: 24 }, (_, index) => index);
  const tensor: StoredTensor = { ...info, dtype: "U8", shape: [2, 3, 4], rows: () => memorySource(new Matrix("U8", [2, 3, 4], bytes)) };
  const matrix = readMatrix(tensor);
  expect(matrix.shape).toEqual([2, 3, 4]);
  expect([...matrix.bytes]).toEqual([...bytes]);
});

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
