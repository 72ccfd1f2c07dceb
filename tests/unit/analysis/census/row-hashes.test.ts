import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRowHasher, rowRuns } from "../../../../src/analysis/census/row-hashes.js";
import { type Dtype, dtypes, itemSizes, Matrix } from "../../../../src/formats/matrix.js";

test("rows that follow each other are one run; a gap ends it", () => {
  expect([...rowRuns([0, 1, 2, 5, 7, 8], 10)]).toEqual([
    { position: 0, firstRow: 0, count: 3 },
    { position: 3, firstRow: 5, count: 1 },
    { position: 4, firstRow: 7, count: 2 },
  ]);
});

test("no run is longer than the limit, and each begins where the last ended", () => {
  expect([...rowRuns(Int32Array.of(4, 5, 6, 7, 8), 2)]).toEqual([
    { position: 0, firstRow: 4, count: 2 },
    { position: 2, firstRow: 6, count: 2 },
    { position: 4, firstRow: 8, count: 1 },
  ]);
});

test("no rows are no run", () => {
  expect([...rowRuns([], 3)]).toEqual([]);
});

const columns = 3;
const rows = 5;
const kernels = ["wasm", "plain"] as const;
// Bytes of few kinds, so that equal rows, both zeros, NaN and infinities occur.
const someByte = fc.constantFrom(0, 0x80, 0x7f, 0xff, 0xc0, 0x7c, 0xf0, 1);
const someRows = (dtype: Dtype) =>
  fc.array(someByte, { minLength: rows * columns * itemSizes[dtype], maxLength: rows * columns * itemSizes[dtype] }).map((bytes) => Uint8Array.from(bytes));

/** Hashes and rewritten rows of some bytes. */
function hashed(dtype: Dtype, bytes: Uint8Array, choice: (typeof kernels)[number]) {
  const hasher = createRowHasher(dtype, columns, rows, choice);
  hasher.rows(rows).set(bytes);
  const words = [...hasher.hash(rows)];
  const rowBytes = columns * itemSizes[dtype];
  return {
    hash: (row: number) => words.slice(2 * row, 2 * row + 2).join(),
    bytes: (row: number) => Buffer.from(hasher.rows(rows).subarray(row * rowBytes, (row + 1) * rowBytes)).toString("hex"),
  };
}

/** A row as what it is by value: numbers, as text, with one zero. */
const valuesOf = (matrix: Matrix, row: number) => Array.from({ length: columns }, (_, column) => matrix.at(row, column) + 0);

describe.each(kernels)("by the %s kernels", (choice) => {
  test.each(dtypes.filter((dtype) => dtype !== "I64" && dtype !== "U64"))(
    "rows of %s that are equal by value have equal hashes and bytes, and only a row with NaN has none",
    (dtype) => {
      fc.assert(
        fc.property(someRows(dtype), (bytes) => {
          const matrix = new Matrix(dtype, [rows, columns], bytes.slice());
          const { hash, bytes: rewritten } = hashed(dtype, bytes, choice);
          for (let a = 0; a < rows; a++) {
            const own = valuesOf(matrix, a);
            expect(hash(a) === "0,0").toBe(own.some(Number.isNaN));
            if (own.some(Number.isNaN)) continue;
            for (let b = 0; b < a; b++) {
              const other = valuesOf(matrix, b);
              if (other.some(Number.isNaN)) continue;
              const isEqual = own.every((value, column) => value === other[column]);
              expect(rewritten(a) === rewritten(b)).toBe(isEqual);
              if (isEqual) expect(hash(a)).toBe(hash(b));
            }
          }
        }),
        { numRuns: 30 },
      );
    },
  );

  test("integers of 64 bits are told apart beyond what a float64 tells", () => {
    const bytes = new Uint8Array(new BigInt64Array([2n ** 53n, 0n, 0n, 2n ** 53n + 1n, 0n, 0n, 2n ** 53n, 0n, 0n, 0n, 0n, 0n, -1n, 0n, 0n]).buffer);
    const { hash, bytes: rewritten } = hashed("I64", bytes, choice);
    expect([rewritten(0) === rewritten(2), rewritten(0) === rewritten(1)]).toEqual([true, false]);
    expect(hash(0)).toBe(hash(2));
  });
});
