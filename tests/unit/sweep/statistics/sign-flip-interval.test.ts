import fc from "fast-check";
import { expect, test } from "vitest";
import { signFlipInterval, signFlipTest } from "../../../../src/sweep/statistics/sign-flip-test.js";
import { expectedFrom } from "../../formats/reference-python.js";

/** p of scipy's test for shifts just inside and just outside both ends. */
const program = `
import sys, json
import numpy as np
from scipy import stats
def p(sample, shift):
    data = np.array(sample) - shift
    return float(stats.permutation_test((data,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue)
print(json.dumps([[p(sample, shift) for shift in shifts] for sample, shifts in json.loads(sys.argv[1])]))
`;

const samples = fc.sample(fc.uniqueArray(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 6, maxLength: 10 }), { seed: 11, numRuns: 30 });

test.each([0.95, 0.8])("at level %d scipy's test refuses what lies outside, and not what lies inside", (level) => {
  const step = 1e-3;
  const cases = samples.map((sample) => {
    const { low, high } = signFlipInterval(sample, level) ?? { low: Number.NaN, high: Number.NaN };
    return [sample, [low - step, low + step, high - step, high + step]];
  });
  for (const [belowLow, aboveLow, belowHigh, aboveHigh] of expectedFrom<[number, number, number, number][]>(program, JSON.stringify(cases))) {
    expect(belowLow).toBeLessThanOrEqual(1 - level + 1e-12);
    expect(aboveHigh).toBeLessThanOrEqual(1 - level + 1e-12);
    expect(aboveLow).toBeGreaterThan(1 - level);
    expect(belowHigh).toBeGreaterThan(1 - level);
  }
});

test("six differences, by hand: k is 1, and the interval goes from the smallest to the largest", () => {
  expect(signFlipInterval([3, 1, 4, 1.5, 9, 2.6])).toEqual({ low: 1, high: 9 });
});

test("0 lies outside exactly when the test's own p is at most 5 %", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -4, max: 12 }), { minLength: 6, maxLength: 12 }), (sample) => {
      const { low, high } = signFlipInterval(sample) ?? { low: Number.NaN, high: Number.NaN };
      expect(low > 0 || high < 0).toBe((signFlipTest(sample)?.p ?? 1) <= 0.05);
    }),
  );
});

test("fewer than six differences refuse nothing at 95 %, and more than 16 are too many", () => {
  expect(signFlipInterval([1, 2, 3, 4, 5])).toBeNull();
  expect(signFlipInterval([1, 2, 3, 4, 5], 0.9)).not.toBeNull();
  expect(signFlipInterval(Array.from({ length: 17 }, (_, at) => at))).toBeNull();
  expect(signFlipInterval(Array.from({ length: 16 }, (_, at) => at))).not.toBeNull();
});

test("equal differences give an interval without width, a value that is not finite none", () => {
  expect(signFlipInterval([0, 0, 0, 0, 0, 0])).toEqual({ low: 0, high: 0 });
  expect(signFlipInterval([1, 2, 3, 4, 5, Number.NaN])).toBeNull();
});
