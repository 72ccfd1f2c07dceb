import { expect, test } from "vitest";
import { nonfiniteTokens } from "../../../src/analysis/nonfinite-tokens.js";
import { float64Matrix } from "./matrices.js";

test("rows with NaN or infinity are named by their tokens, ascending", () => {
  const rows = [
    [0, Number.NaN],
    [1, 2],
    [Number.NEGATIVE_INFINITY, 0],
  ];
  expect(nonfiniteTokens(float64Matrix(rows))).toEqual([0, 2]);
  expect(nonfiniteTokens(float64Matrix(rows, [5, 7, 100]))).toEqual([5, 100]);
});

test("the largest float64 is finite", () => {
  expect(nonfiniteTokens(float64Matrix([[Number.MAX_VALUE]]))).toEqual([]);
});
