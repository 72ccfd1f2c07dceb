import fc from "fast-check";
import { expect, test } from "vitest";
import { principalComponents, spread } from "../../../../src/analysis/geometry/spread.js";
import { GrowingCloud, mergeClouds, type PointCloud } from "../../../../src/analysis/geometry/state-geometry.js";
import { expectedFrom } from "../../formats/reference-python.js";

function cloudOf(points: readonly (readonly number[])[], dims = points[0]?.length ?? 0): GrowingCloud {
  const cloud = new GrowingCloud(dims);
  for (const point of points) cloud.add(Float64Array.from(point));
  return cloud;
}

interface Reference {
  points: number[][];
  mean: number[];
  scatter: number[];
  variances: number[];
}

const reference = expectedFrom<Reference[]>(`
import json
import numpy as np
rng = np.random.default_rng(5)
out = []
for n, dims, scale in [(2, 1, 1.0), (50, 4, 1e-3), (300, 3, 1e6), (20, 6, 1.0)]:
    points = rng.normal(size=(n, dims)) * scale + rng.normal(size=dims) * 10 * scale
    centred = points - points.mean(axis=0)
    scatter = centred.T @ centred
    variances = np.sort(np.linalg.eigvalsh(scatter / n))[::-1]
    out.append({"points": points.tolist(), "mean": points.mean(axis=0).tolist(), "scatter": np.triu(scatter).flatten().tolist(), "variances": variances.tolist()})
print(json.dumps(out))`);

/** Equal up to rounding, measured against the largest entry. */
function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  const scale = Math.max(...expected.map(Math.abs));
  for (const [index, value] of expected.entries()) expect(Math.abs((actual[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-9 * scale);
}

test("mean, scatter and variances are numpy's, point by point and in two parts", () => {
  for (const { points, mean, scatter, variances } of reference) {
    const half = points.length >> 1;
    for (const cloud of [cloudOf(points), mergeClouds(cloudOf(points.slice(0, half)), cloudOf(points.slice(half)))]) {
      expect(cloud.count).toBe(points.length);
      expectClose(cloud.mean, mean);
      expectClose(cloud.scatter, scatter);
      expectClose(spread(cloud).variances ?? [], variances);
    }
  }
});

test("merging with an empty cloud changes nothing", () => {
  const cloud = cloudOf([
    [1, 2],
    [3, 5],
  ]);
  expect(mergeClouds(cloud, new GrowingCloud(2))).toBe(cloud);
  expect(mergeClouds(new GrowingCloud(2), cloud)).toBe(cloud);
});

test("points vary as soon as one differs from the first, in either part", () => {
  expect(cloudOf([[1], [1]]).varies).toBe(false);
  expect(mergeClouds(cloudOf([[1], [1]]), cloudOf([[1]])).varies).toBe(false);
  expect(mergeClouds(cloudOf([[1]]), cloudOf([[2]])).varies).toBe(true);
});

test("equal points, and points that are not finite, spread in no direction", () => {
  const none = { variances: null, explained: null, participationRatio: null };
  expect(spread(cloudOf([[1, 2]]))).toEqual(none);
  expect(
    spread(
      cloudOf([
        [1, 2],
        [Number.NaN, 2],
      ]),
    ),
  ).toEqual(none);
  expect(spread(cloudOf([[0], [Number.POSITIVE_INFINITY]]))).toEqual(none);
});

test("a line is one direction, a square two of equal share", () => {
  const line: PointCloud = cloudOf([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  expect(spread(line).participationRatio).toBeCloseTo(1, 12);
  const square = spread(
    cloudOf([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]),
  );
  expect(square.participationRatio).toBeCloseTo(2, 12);
  expect(square.explained).toEqual([0.5, 0.5]);
});

test("points so near that their variance is no float64 spread nowhere", () => {
  const cloud = cloudOf([
    [0, 0, 0],
    [0, 0, 5e-324],
  ]);
  expect(spread(cloud)).toEqual({ variances: null, explained: null, participationRatio: null });
  expect(principalComponents(cloud, 2)).toEqual({ axes: [], explained: [] });
});

test("the number of directions lies between 1 and the dimensions, for points of any size", () => {
  const points = fc.array(fc.array(fc.double({ noNaN: true, min: -1e150, max: 1e150 }), { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(points, (list) => {
      const { participationRatio } = spread(cloudOf(list));
      if (participationRatio === null) return;
      expect(participationRatio).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(participationRatio).toBeLessThanOrEqual(3 + 1e-9);
    }),
  );
});
