import { expect, test } from "vitest";
import { spread } from "../../../../src/analysis/geometry/spread.js";
import { GrowingCloud } from "../../../../src/analysis/geometry/state-geometry.js";

function cloudOf(...points: readonly (readonly number[])[]): GrowingCloud {
  const cloud = new GrowingCloud(points[0]?.length ?? 0);
  for (const point of points) cloud.add(Float64Array.from(point));
  return cloud;
}

/** Four points on the two diagonals. */
const tilted = cloudOf([2, 2], [-2, -2], [Math.SQRT2 / 2, -Math.SQRT2 / 2], [-Math.SQRT2 / 2, Math.SQRT2 / 2]);

test("the variances are the eigenvalues of the covariance, the widest first", () => {
  // Along the diagonal (8 + 8)/4 = 4, across it (1 + 1)/4 = 0.5.
  const { variances, explained, participationRatio } = spread(tilted);
  expect(variances?.map((value) => Number(value.toFixed(12)))).toEqual([4, 0.5]);
  expect(explained?.[0]).toBeCloseTo(4 / 4.5, 12);
  expect(participationRatio).toBeCloseTo((4 + 0.5) ** 2 / (4 ** 2 + 0.5 ** 2), 12);
});

test("equal variance in every direction counts all of them, and a line one", () => {
  expect(spread(cloudOf([1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1])).participationRatio).toBeCloseTo(3, 12);
  expect(spread(cloudOf([1, 2, 3], [2, 4, 6], [3, 6, 9])).participationRatio).toBeCloseTo(1, 12);
});

test.each([1e-150, 1e150])("numbers near the ends of float64 (%d) spread as theirs do", (scale) => {
  const scaled = cloudOf([2 * scale, 2 * scale], [-2 * scale, -2 * scale], [scale, -scale], [-scale, scale]);
  expect(spread(scaled).explained?.map((share) => Number(share.toFixed(12)))).toEqual([0.8, 0.2]);
});

test.each([
  ["points that are all equal", cloudOf([1, 2], [1, 2])],
  ["one point", cloudOf([1, 2])],
  ["points with NaN", cloudOf([1, Number.NaN], [2, 3])],
  ["points with infinity", cloudOf([1, Number.POSITIVE_INFINITY], [2, 3])],
])("%s spread nowhere", (_, cloud) => {
  expect(spread(cloud)).toEqual({ variances: null, explained: null, participationRatio: null });
});
