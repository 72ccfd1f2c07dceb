import fc from "fast-check";
import { expect, test } from "vitest";
import { rowValues } from "../../../../src/analysis/census/row-values.js";
import { type Dtype, dtypes, itemSizes, Matrix } from "../../../../src/formats/matrix.js";

/** Rows compared number by number: what equality by value means. */
function equalByValue(matrix: Matrix, first: number, second: number): boolean {
  return Array.from({ length: matrix.columns }, (_, column) => matrix.at(first, column) === matrix.at(second, column)).every(Boolean);
}

const hasNan = (matrix: Matrix, row: number): boolean => Array.from({ length: matrix.columns }, (_, column) => matrix.at(row, column)).some(Number.isNaN);

// Bytes of few kinds, so that equal rows, both zeros, NaN and infinities occur.
const someByte = fc.constantFrom(0, 0x80, 0x7f, 0xff, 0xc0, 0x7c, 0xf0, 1);

const narrow: readonly Dtype[] = dtypes.filter((dtype) => dtype !== "I64" && dtype !== "U64"); // numbers cannot tell 64-bit integers apart

test.each(narrow)("rows of %s are equal when their numbers are, and equal rows share a hash", (dtype) => {
  const columns = 2;
  const rows = 6;
  const bytes = fc.uint8Array({ minLength: rows * columns * itemSizes[dtype], maxLength: rows * columns * itemSizes[dtype] });
  const few = fc
    .array(someByte, { minLength: rows * columns * itemSizes[dtype], maxLength: rows * columns * itemSizes[dtype] })
    .map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(fc.oneof(bytes, few), (data) => {
      const matrix = new Matrix(dtype, [rows, columns], data);
      const values = rowValues(dtype, data, columns);
      for (let a = 0; a < rows; a++) {
        expect(values.hash(a) === null).toBe(hasNan(matrix, a));
        for (let b = 0; b < rows; b++) {
          if (hasNan(matrix, a) || hasNan(matrix, b)) continue;
          expect(values.equal(a, b)).toBe(equalByValue(matrix, a, b));
          if (equalByValue(matrix, a, b)) expect(values.hash(a)).toBe(values.hash(b));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test.each(["I64", "U64"] as const)("%s is compared by all its bytes, beyond what a number can tell", (dtype) => {
  const values = rowValues(dtype, new Uint8Array(BigInt64Array.of(2n ** 53n, 2n ** 53n + 1n, 2n ** 53n).buffer), 1);
  expect(values.equal(0, 1)).toBe(false);
  expect(values.equal(0, 2)).toBe(true);
});

test("bytes that begin at an odd place are read all the same", () => {
  const bytes = new Uint8Array(9).subarray(1);
  bytes.set(new Uint8Array(Float32Array.of(1, 1).buffer));
  expect(rowValues("F32", bytes, 1).equal(0, 1)).toBe(true);
});
