import { expect, test } from "vitest";
import { decodeElements } from "../../../src/analysis/decode-elements.js";
import { forEachRow } from "../../../src/analysis/for-each-row.js";
import { dtypes, itemSizes, Matrix } from "../../../src/formats/matrix.js";

/** Bytes of every kind: a fixed sequence that reaches all values of a byte. */
const bytesFor = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, index) => (index * 167 + (index >> 8) * 31) & 0xff);

test.each(dtypes)("%s is decoded as a matrix decodes it, from an odd place too", (dtype) => {
  const count = 4096;
  const bytes = bytesFor(count * itemSizes[dtype]);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  for (const source of [bytes, shifted.subarray(1)]) {
    const target = new Float64Array(count);
    decodeElements(dtype, source, target);
    expect(target).toEqual(new Matrix(dtype, [count, 1], bytes).toFloat64());
  }
});

test("every row is visited once, in order, across blocks", () => {
  const rows = 600;
  const matrix = new Matrix("F32", [rows, 2], new Uint8Array(Float32Array.from({ length: rows * 2 }, (_, index) => index).buffer));
  const seen: number[] = [];
  forEachRow(matrix, ([a = 0, b = 0], row) => {
    expect(b).toBe(a + 1);
    seen.push(a / 2);
    expect(row).toBe(a / 2);
  });
  expect(seen).toEqual(Array.from({ length: rows }, (_, row) => row));
});
