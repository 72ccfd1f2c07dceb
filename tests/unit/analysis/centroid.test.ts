import { expect, test } from "vitest";
import { centroid } from "../../../src/analysis/centroid.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { float64Matrix } from "./matrices.js";

test("the centroid is the mean of each column", () => {
  const matrix = float64Matrix([
    [1, 6],
    [5, 2],
  ]); // columns: (1 + 5)/2 = 3, (6 + 2)/2 = 4
  expect([...centroid(matrix)]).toEqual([3, 4]);
});

test("more rows than are decoded at a time are all counted", () => {
  const rows = Array.from({ length: 1000 }, (_, row) => [row]);
  expect([...centroid(float64Matrix(rows))]).toEqual([499.5]);
});

test("a column with NaN has no mean, and the others keep theirs", () => {
  expect([
    ...centroid(
      float64Matrix([
        [Number.NaN, 1],
        [1, 3],
      ]),
    ),
  ]).toEqual([Number.NaN, 2]);
});

test("without rows there is no mean", () => {
  expect([...centroid(new Matrix("F32", [0, 2], new Uint8Array()))]).toEqual([Number.NaN, Number.NaN]);
});
