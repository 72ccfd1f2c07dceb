import { expect, test } from "vitest";
import { forEachRow } from "../../../src/analysis/for-each-row.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { bfloat16Matrix, float64Matrix } from "./matrices.js";

/** What a visitor is shown: the rows, copied, with their numbers. */
function shown(matrix: Matrix): { row: number; values: number[] }[] {
  const seen: { row: number; values: number[] }[] = [];
  forEachRow(matrix, (values, row) => seen.push({ row, values: [...values] }));
  return seen;
}

test("every row comes once, in order, decoded", () => {
  expect(
    shown(
      bfloat16Matrix([
        [0x3f80, 0x8000],
        [0xff80, 0x4040],
      ]),
    ),
  ).toEqual([
    { row: 0, values: [1, -0] },
    { row: 1, values: [Number.NEGATIVE_INFINITY, 3] },
  ]);
});

test.each([1, 255, 256, 257, 513])("%d rows, in blocks of 256, are all shown", (count) => {
  const rows = Array.from({ length: count }, (_, row) => [row, -row - 1]);
  expect(shown(float64Matrix(rows))).toEqual(rows.map((values, row) => ({ row, values })));
});

test("a matrix without rows or columns shows nothing", () => {
  expect(shown(new Matrix("F32", [0, 3], new Uint8Array()))).toEqual([]);
  expect(shown(new Matrix("F32", [3, 0], new Uint8Array()))).toEqual([]);
});
