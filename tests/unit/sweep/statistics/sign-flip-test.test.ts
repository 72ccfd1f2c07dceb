import fc from "fast-check";
import { expect, test } from "vitest";
import { mcnemarTest } from "../../../../src/sweep/statistics/binomial-tests.js";
import { signFlipTest, subsetSums } from "../../../../src/sweep/statistics/sign-flip-test.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { sampledDifferences } from "./samples.js";

/** In millionths, whole numbers: scipy takes sums that differ by rounding alone for different ones. */
const program = `
import sys, json
import numpy as np
from scipy import stats
def exact(sample):
    scaled = [round(value * 10**6) for value in sample]
    result = stats.permutation_test((np.array(scaled, dtype=float),), np.sum, permutation_type="samples", n_resamples=np.inf)
    return float(result.pvalue)
print(json.dumps([exact(sample) for sample in json.loads(sys.argv[1])]))
`;

test("up to 16 values p is that of scipy over all assignments of signs", () => {
  const rounded = sampledDifferences(60, 2, 11).map((sample) => sample.map((value) => Math.round(value * 1e6) / 1e6));
  const samples = [[1, 2, 3], [0.1, 0.2, -0.3], [1, -1], [5, 5, 5, 5, 5, 5], [0, 0, 4], sampledDifferences(1, 16, 16)[0] ?? [], ...rounded];
  const expected = expectedFrom<number[]>(program, JSON.stringify(samples));
  expect(samples.map((sample) => signFlipTest(sample)?.p)).toEqual(expected.map((p) => expect.closeTo(p, 12)));
});

test("p of six equal differences, by hand: all signs kept or all turned, of 64", () => {
  expect(signFlipTest([5, 5, 5, 5, 5, 5])).toEqual({ p: 2 / 64, method: "all", assignments: 64 });
});

test("decimals that do not subtract exactly are ties all the same", () => {
  // 0.1 + 0.2 − 0.3 is 5.6e-17 in doubles, and 0 in fact: no assignment lies nearer.
  expect(signFlipTest([0.1, 0.2, -0.3])?.p).toBe(1);
  expect(signFlipTest([3.3522 - 3.3521, 3.3522 - 3.352, 3.3519 - 3.3522])?.p).toBe(1);
});

test("beyond 16 values, 100,000 assignments drawn with a seed come near the p of all", () => {
  const sample = Array.from({ length: 17 }, (_, at) => Math.sin(at * 12.9898) + 0.35);
  const [expected = Number.NaN] = expectedFrom<number[]>(program, JSON.stringify([sample]));
  const found = signFlipTest(sample, 7);
  expect(found).toMatchObject({ method: "drawn", assignments: 100_000 });
  const standardError = Math.sqrt((expected * (1 - expected)) / 100_000);
  expect(Math.abs((found?.p ?? 0) - expected)).toBeLessThan(5 * standardError);
  expect(signFlipTest(sample, 7)).toEqual(found);
  expect(signFlipTest(sample, 8)?.p).not.toBe(found?.p);
});

test("drawn assignments give no p of 0", () => {
  expect(signFlipTest(new Array<number>(60).fill(1))?.p).toBe(1 / 100_001);
});

test("differences that are all exactly 0 differ by nothing: p is 1", () => {
  expect(signFlipTest([0, 0, 0])?.p).toBe(1);
  expect(signFlipTest(new Array<number>(20).fill(0))?.p).toBe(1);
});

test("fewer than two values, and a value that is not finite, give no test", () => {
  expect(signFlipTest([1])).toBeNull();
  expect(signFlipTest([1, 2, Number.NaN])).toBeNull();
  expect(signFlipTest([1, Number.NEGATIVE_INFINITY])).toBeNull();
});

test("turning all signs and changing the order change nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 12 }), (sample) => {
      const p = signFlipTest(sample)?.p;
      expect(signFlipTest(sample.map((value) => -value))?.p).toBe(p);
      expect(signFlipTest(sample.toReversed())?.p).toBe(p);
    }),
  );
});

test("of yes and no it is McNemar's test", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(-1, 0, 1), { minLength: 2, maxLength: 16 }), (scores) => {
      const only = (side: number) => scores.filter((score) => score === side).length;
      expect(signFlipTest(scores)?.p).toBeCloseTo(mcnemarTest(only(-1), only(1)), 12);
    }),
  );
});

test("sums and sizes of all subsets of three values, in the order of their bits", () => {
  const { sums, sizes } = subsetSums([1, 10, 100]);
  expect([...sums]).toEqual([0, 1, 10, 11, 100, 101, 110, 111]);
  expect([...sizes]).toEqual([0, 1, 1, 2, 1, 2, 2, 3]);
});

test("a sum that is 0 but for rounding is 0, a small value is itself", () => {
  expect(subsetSums([0.1, 0.2, -0.3]).sums[7]).toBe(0);
  expect(subsetSums([1, 1e-6]).sums[2]).toBe(1e-6);
});
