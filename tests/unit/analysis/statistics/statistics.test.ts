import { expect, test } from "vitest";
import { binEdges, countsIn, cumulativeShare, populationStatistics, statisticsAnalysis } from "../../../../src/analysis/statistics/statistics.js";
import { expectedFrom } from "../../formats/reference-python.js";

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

test("statistics of the populations 2, 3, 5, 10, worked out by hand", () => {
  const { gini, ...others } = populationStatistics([10, 2, 5, 3]);
  expect(others).toEqual({
    n: 4,
    sum: 20,
    mean: 5,
    median: 4,
    herfindahl: 0.345, // (4 + 9 + 25 + 100) / 400
    topShare: { "1": 0.5, "2": 0.75, "3": 0.9, "5": 1, "10": 1 },
  });
  // 2 · (1·2 + 2·3 + 3·5 + 4·10) / (4 · 20) − 5/4
  expect(gini).toBeCloseTo(0.325, 12);
});

test("one hole holds everything, and no hole has no statistics", () => {
  expect(populationStatistics([7])).toMatchObject({ gini: 0, herfindahl: 1, median: 7, topShare: { "1": 1 } });
  expect(populationStatistics([])).toEqual({
    n: 0,
    sum: 0,
    mean: null,
    median: null,
    gini: null,
    herfindahl: null,
    topShare: { "1": null, "2": null, "3": null, "5": null, "10": null },
  });
});

const step = (state: number): number => state;
const none = { n: 0, sum: 0, mean: null, median: null, gini: null, herfindahl: null, topShare: { "1": null, "2": null, "3": null, "5": null, "10": null } };

test("the statistics are one line", () => {
  // Of populations 6 and 2: Gini 2·(1·2 + 2·6)/(2·8) − 3/2 = 1/4, Herfindahl (36 + 4)/64.
  const some = { ...none, n: 2, sum: 8, mean: 4, median: 4, gini: 0.25, herfindahl: 0.625, topShare: { ...none.topShare, "1": 0.75 } };
  expect(statisticsAnalysis.print(some, step)).toEqual(["mean 4.000, median 4.000, Gini 0.2500, Herfindahl 0.6250, largest 75.0 %"]);
});

test("without a black hole there are none", () => {
  expect(statisticsAnalysis.print(none, step)).toEqual(["There are no black holes."]);
});
