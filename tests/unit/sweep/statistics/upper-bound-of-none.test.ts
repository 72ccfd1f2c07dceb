import { expect, test } from "vitest";
import { upperBoundOfNone } from "../../../../src/sweep/statistics/upper-bound-of-none.js";
import { expectedFrom } from "../../formats/reference-python.js";

test.each([0.95, 0.99])("at level %d it is scipy's Clopper–Pearson bound of 0 of n", (level) => {
  const sizes = [1, 2, 3, 5, 10, 20, 100, 1000];
  const expected = expectedFrom<number[]>(
    "import sys, json; from scipy.stats import binomtest; print(json.dumps([float(binomtest(0, n, alternative='less').proportion_ci(float(sys.argv[2]), method='exact').high) for n in json.loads(sys.argv[1])]))",
    JSON.stringify(sizes),
    String(level),
  );
  expect(sizes.map((n) => upperBoundOfNone(n, level))).toEqual(expected.map((bound) => expect.closeTo(bound, 10)));
});

test("0 of 10 leaves room below 26 %", () => {
  expect(upperBoundOfNone(10)).toBeCloseTo(0.2589, 4);
});

test("no run at all bounds nothing", () => {
  expect(upperBoundOfNone(0)).toBeNull();
});
