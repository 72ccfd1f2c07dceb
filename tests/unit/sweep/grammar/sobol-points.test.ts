import { expect, test } from "vitest";
import { maxSobolDimensions, sobolPoints } from "../../../../src/sweep/grammar/sobol-points.js";
import { expectedFrom } from "../../formats/reference-python.js";

test("the plain sequence is scipy's, in every dimension that there is", () => {
  const program = `
import json, sys, warnings
from scipy.stats import qmc
print(json.dumps(qmc.Sobol(int(sys.argv[1]), scramble=False, bits=30).random(128).tolist()))`;
  const expected = expectedFrom<number[][]>(program, String(maxSobolDimensions));
  expect(sobolPoints(128, new Array<number>(maxSobolDimensions).fill(0))).toEqual(expected);
});

test("a shift keeps how evenly the points lie: each of 2^k intervals has one of 2^k points", () => {
  const points = sobolPoints(64, [123_456_789, 987_654_321]);
  for (const dimension of [0, 1]) {
    expect(new Set(points.map((point) => Math.floor((point[dimension] ?? 0) * 64))).size).toBe(64);
  }
  expect(points[0]).toEqual([123_456_789 / 2 ** 30, 987_654_321 / 2 ** 30]);
});
