import { expect, test } from "vitest";
import { geometryOfValues } from "../../../src/analysis/geometry-of-values.js";

test("the radii of two rows, worked out by hand", () => {
  // Rows (0, 0) and (6, 8): the centroid is (3, 4), both rows are 5 from it, and it is 5 from 0.
  expect(geometryOfValues(Float64Array.of(0, 0, 6, 8), 2, 2)).toEqual({
    centroid: Float64Array.of(3, 4),
    centroidNorm: 5,
    maxRadius: 5,
    meanRadius: 5,
    rmsRadius: 5,
  });
});

test("a mean and a root mean square differ where radii do", () => {
  // 0, 0, 9 lie 3, 3, 6 from their mean 3.
  const { maxRadius, meanRadius, rmsRadius } = geometryOfValues(Float64Array.of(0, 0, 9), 3, 1);
  expect({ maxRadius, meanRadius, rmsRadius }).toEqual({ maxRadius: 6, meanRadius: 4, rmsRadius: Math.sqrt(18) });
});
