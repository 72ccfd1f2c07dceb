import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import { isDtype, isReadable, readableDtype, readMatrix, rowsAndColumns, type StoredTensor } from "../../../src/formats/stored-tensor.js";
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
