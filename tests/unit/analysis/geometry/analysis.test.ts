import { expect, test } from "vitest";
import { geometryAnalysis } from "../../../../src/analysis/geometry/analysis.js";

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

test("spreads are told by their number of directions", () => {
  const spread = (participationRatio: number | null) => ({ variances: null, explained: null, participationRatio });
  const lines = geometryAnalysis.print({ ...geometry, initialSpread: spread(null), finalSpread: spread(2), pathSpread: spread(1) }, (state) => state);
  expect(lines.at(-1)).toBe("Directions of spread: – at the start, 2.000 at the end, 1.000 of the path");
});
