import { expect, test } from "vitest";
import { binEdges, countsIn, cumulativeShare } from "../../../src/analysis/histogram.js";
import { expectedFrom } from "../formats/reference-python.js";

// A generator of its own (Park & Miller 1988), so that Python can be given the same values.
let seed = 7;
const values = Array.from({ length: 500 }, () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
});

test("edges and counts are numpy's", () => {
  const numpy = expectedFrom(
    "import json, sys, numpy as np\ncounts, edges = np.histogram(json.loads(sys.argv[1]), 24)\nprint(json.dumps([counts.tolist(), edges.tolist()]))",
    JSON.stringify(values),
  ) as [number[], number[]];
  const edges = binEdges(values, 24, "linear");
  expect(countsIn(values, edges)).toEqual(numpy[0]);
  for (const [index, edge] of edges.entries()) expect(edge).toBeCloseTo(numpy[1][index] ?? Number.NaN, 12);
});

test("on a logarithmic scale the ratio of neighbouring edges is the same, and zero is in no bin", () => {
  const edges = binEdges([0, 1, 10, 1000], 3, "log");
  expect(edges.map((edge) => Math.round(edge * 1e9) / 1e9)).toEqual([1, 10, 100, 1000]);
  expect(countsIn([0, 1, 10, 1000], edges).reduce((sum, count) => sum + count)).toBe(3);
});

test("values that are all equal have one bin", () => expect(countsIn([2, 2, 2], binEdges([2, 2, 2], 24, "linear"))).toEqual([3]));

test("the cumulative share begins with what lies before the first edge", () => {
  expect(cumulativeShare([0, 0, 1, 2], [1, 2])).toEqual({ x: [1, 1, 2, 2], y: [0.5, 0.75, 1, 1] });
});
