import { expect, test } from "vitest";
import { centroidNorm } from "../../../src/analysis/centroid-norm.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { bfloat16Matrix, float64Matrix } from "./matrices.js";

test("the norm is of the mean row, not the mean of norms", () => {
  // Columns: (1 + 5)/2 = 3, (6 + 2)/2 = 4.
  expect(
    centroidNorm(
      float64Matrix([
        [1, 6],
        [5, 2],
      ]),
    ),
  ).toBe(5);
  expect(centroidNorm(float64Matrix([[1], [-1]]))).toBe(0);
});

test("bfloat16 rows are averaged in float64: the norm is finer than their own dtype", () => {
  // 0.75 and the bfloat16 after it, 0.75 + 2^-8: their mean lies between two bfloat16 numbers.
  expect(centroidNorm(bfloat16Matrix([[0x3f40], [0x3f41]]))).toBe(0.75 + 2 ** -9);
});

test("a matrix without rows has no centroid", () => {
  expect(centroidNorm(new Matrix("F32", [0, 2], new Uint8Array()))).toBeNaN();
});

test("what is no matrix is refused with its name", () => {
  expect(() => centroidNorm([[1]] as never)).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("matrix") }));
});
