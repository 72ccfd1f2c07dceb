import fc from "fast-check";
import { expect, test } from "vitest";
import { mcnemarTest, upperBoundOfNone } from "../../../../src/sweep/statistics/binomial-tests.js";
import { expectedFrom } from "../../formats/reference-python.js";

test("p is scipy's of the discordant pairs, binomial with one half", () => {
  const random = fc.sample(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 })), { seed: 3, numRuns: 80 });
  const pairs = [[0, 1], [0, 5], [0, 6], [9, 0], [3, 3], [4, 5], [700, 800], ...random].filter(([a = 0, b = 0]) => a + b > 0);
  const expected = expectedFrom<number[]>(
    "import sys, json; from scipy.stats import binomtest; print(json.dumps([float(binomtest(b, a + b, 0.5).pvalue) for a, b in json.loads(sys.argv[1])]))",
    JSON.stringify(pairs),
  );
  for (const [at, [a = 0, b = 0]] of pairs.entries()) {
    const p = expected[at] ?? Number.NaN;
    expect(Math.abs(mcnemarTest(a, b) - p)).toBeLessThanOrEqual(1e-10 * p);
  }
});

test("without a discordant pair nothing speaks for a difference: p is 1", () => {
  expect(mcnemarTest(0, 0)).toBe(1);
});

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
