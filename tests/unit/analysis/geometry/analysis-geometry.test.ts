import { expect, test } from "vitest";
import { geometry } from "../../../../src/analysis/geometry/geometry.js";
import { memoryHistory } from "../memory-source.js";

const history = (...states: number[][]) =>
  memoryHistory("F64", [states.length, (states[0]?.length ?? 0) / 2, 2], new Uint8Array(Float64Array.from(states.flat()).buffer));
/** Two rows apart by 2 along x in the first state, by 8 along y in the last; the centroid goes 0 → (3, 4) → (3, 0). */
const moving = history([-1, 0, 1, 0], [3, 4, 3, 4], [3, -4, 3, 4]);

test("the displacement is from first to last, the path as long as all steps", async () => {
  const { centroidNorm, maxRadius, rmsRadius, displacement, pathLength } = await geometry(moving);
  expect(centroidNorm).toEqual([0, 5, 3]);
  expect(maxRadius).toEqual([1, 0, 4]);
  expect(rmsRadius).toEqual([1, 0, 4]);
  expect(displacement).toEqual({ float64: 3, float32: 3, bfloat16: 3 });
  expect(pathLength).toBe(5 + 4);
});

test("spreads are of the rows of the first and the last state, and of the centroids", async () => {
  const { initialSpread, finalSpread, pathSpread } = await geometry(moving);
  expect(initialSpread?.variances?.map((variance) => Math.round(variance * 1e9) / 1e9)).toEqual([1, 0]);
  expect(finalSpread?.variances?.[0]).toBeCloseTo(16, 12);
  // Centroids (0, 0), (3, 4), (3, 0): variances 2 along x and 32/9 along y, covariance 4/3.
  const [trace, determinant] = [2 + 32 / 9, 2 * (32 / 9) - 16 / 9];
  const root = Math.sqrt(trace ** 2 / 4 - determinant);
  expect(pathSpread?.variances?.[0]).toBeCloseTo(trace / 2 + root, 12);
  expect(pathSpread?.variances?.[1]).toBeCloseTo(trace / 2 - root, 12);
});

test("above `spreadDims` dimensions there are no spreads, and the rest stays", async () => {
  const { initialSpread, finalSpread, pathSpread, ...rest } = await geometry(moving);
  expect([initialSpread, finalSpread, pathSpread]).not.toContain(undefined);
  expect(await geometry(moving, { spreadDims: 1 })).toEqual(rest);
});

test("a single state has a geometry: nothing is moved, and a path of one point spreads nowhere", async () => {
  const { displacement, pathLength, pathSpread } = await geometry(history([-1, 0, 1, 0]));
  expect([displacement.float64, pathLength, pathSpread]).toEqual([0, 0, { variances: null, explained: null, participationRatio: null }]);
});

test("NaN in one state leaves the figures of the others", async () => {
  const { centroidNorm, pathLength, finalSpread, pathSpread } = await geometry(history([0, 0, 0, 0], [Number.NaN, 0, 0, 0], [-1, 0, 1, 0]));
  expect(centroidNorm).toEqual([0, Number.NaN, 0]);
  expect(pathLength).toBeNaN();
  expect(finalSpread?.variances?.[0]).toBeCloseTo(1, 12);
  expect(pathSpread?.variances).toBeNull();
});

test("an empty history is refused", async () => {
  await expect(geometry(memoryHistory("F32", [0, 2, 2], new Uint8Array()))).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});
