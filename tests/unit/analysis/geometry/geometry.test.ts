import { expect, test } from "vitest";
import { geometryAnalysis, observation } from "../../../../src/analysis/geometry/geometry.js";
import { memoryHistory } from "../memory-source.js";
import { observed } from "../scan/observed.js";

/** Two tokens of two dims, centroids (0, 0), (3, 4), (3, 4), (0, 8): the path is 5 + 0 + 5 long. */
const states = [
  [0, 0, 0, 0],
  [2, 4, 4, 4],
  [3, 1, 3, 7],
  [0, 8, 0, 8],
];
const history = memoryHistory("U8", [4, 2, 2], Uint8Array.from(states.flat()));

test("the centroid's distance from 0, the radii around it, and the length of its path", () => {
  const { centroidNorm, maxRadius, pathLength, path } = observed(observation, history, 0, 4);
  expect(centroidNorm).toEqual(Float64Array.of(0, 5, 5, 8));
  expect(maxRadius).toEqual(Float64Array.of(0, 1, 3, 0));
  expect(pathLength).toBe(10);
  expect(path).toMatchObject({ count: 4, mean: Float64Array.of(1.5, 4), varies: true });
});

test("ranges that follow each other tell what one tells, wherever the cut is", () => {
  for (const cut of [1, 2, 3]) {
    const { path, ...merged } = observation.merge(observed(observation, history, 0, cut), observed(observation, history, cut, 4));
    const { path: whole, ...expected } = observed(observation, history, 0, 4);
    expect(merged).toEqual(expected);
    expect(path?.mean).toEqual(whole?.mean);
    for (const [index, value] of (whole?.scatter ?? []).entries()) expect(path?.scatter[index]).toBeCloseTo(value, 12);
  }
});

test("above `spreadDims` dimensions no scatter is kept, in one range or in merged ones", () => {
  const settings = { spreadDims: 1 };
  expect(observed(observation, history, 0, 4, settings)).not.toHaveProperty("path");
  expect(observation.merge(observed(observation, history, 0, 2, settings), observed(observation, history, 2, 4, settings))).not.toHaveProperty("path");
});

const geometry = {
  centroidNorm: [0.5, 1],
  maxRadius: [2, null],
  meanRadius: [1, 1],
  rmsRadius: [1.5, 1.5],
  displacement: { float64: 0.123456, float32: 0.1234567, bfloat16: 0.125 },
  pathLength: 12,
};

test("states are a table; displacement and path are lines", () => {
  expect(geometryAnalysis.print(geometry, (state) => 300 * state)).toEqual([
    {
      head: ["step", "centroid", "max radius", "mean radius", "rms radius"],
      rows: [
        ["0", "0.5000", "2.000", "1.000", "1.500"],
        ["300", "1.000", "–", "1.000", "1.500"],
      ],
    },
    "Displacement 0.1235 (0.1250 in the notebook's bfloat16 arithmetic)",
    "Length of the centroid's path 12.00",
  ]);
});

test("a spread is described by its number of directions", () => {
  const spread = (participationRatio: number | null) => ({ variances: null, explained: null, participationRatio });
  const lines = geometryAnalysis.print({ ...geometry, initialSpread: spread(null), finalSpread: spread(2), pathSpread: spread(1) }, (state) => state);
  expect(lines.at(-1)).toBe("Directions of spread: – at the start, 2.000 at the end, 1.000 of the path");
});
