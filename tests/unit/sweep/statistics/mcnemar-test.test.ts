import fc from "fast-check";
import { expect, test } from "vitest";
import { mcnemarTest } from "../../../../src/sweep/statistics/mcnemar-test.js";
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
