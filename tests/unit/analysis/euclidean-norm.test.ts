import { expect, test } from "vitest";
import { euclideanNorm } from "../../../src/analysis/euclidean-norm.js";

test("the norm is √Σx², whatever the signs and the kind of array", () => {
  expect(euclideanNorm([2, -3, 6])).toBe(7);
  expect(euclideanNorm(Float32Array.of(-0, 4))).toBe(4);
});

test("the norm of nothing is 0", () => {
  expect(euclideanNorm([])).toBe(0);
});

test("sums are in float64, also of float32 numbers", () => {
  // 2^12 ones beside 2^24: in float32, each would be lost when it is added.
  const vector = new Float32Array(1 + 2 ** 12).fill(1);
  vector[0] = 2 ** 12;
  expect(euclideanNorm(vector)).toBe(Math.sqrt(2 ** 24 + 2 ** 12));
});

test("NaN makes it NaN, and infinity infinite", () => {
  expect(euclideanNorm([1, Number.NaN])).toBeNaN();
  expect(euclideanNorm([1, Number.NEGATIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
});
