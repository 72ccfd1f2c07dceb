import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { median, medianInterval, signTail } from "../../../../src/sweep/statistics/binomial-tests.js";
import { pairedTest } from "../../../../src/sweep/statistics/paired-test.js";
import { signFlipTail } from "../../../../src/sweep/statistics/sign-flip-test.js";
import { hallInterval, hallTail, isSkewed, sampleSkewness, studentQuantile, studentTail } from "../../../../src/sweep/statistics/t-tests.js";
import { expectedFrom } from "../../formats/reference-python.js";

const reference = readFileSync(join(import.meta.dirname, "reference_pairs.py"), "utf8");
/** Evaluate a Python expression over `cases` with the reference at hand. */
const evaluated = <Value>(expression: string, cases: unknown) =>
  expectedFrom<Value>(`import sys, json\n${reference}\ncases = json.loads(sys.argv[1])\nprint(json.dumps(${expression}))`, JSON.stringify(cases));

/** Normal, skewed and whole differences with ties, as experiments have them. */
const difference = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -400, max: 900 }).map((value) => value / 1000),
  fc.integer({ min: 0, max: 1000 }).map((value) => Math.round(Math.exp(value / 200) * 100) / 100),
);
const samples = fc.sample(fc.array(difference, { minLength: 3, maxLength: 9 }), { seed: 20_261_127, numRuns: 40 });
const vector = [0.4, 0.1, 0.3, 0.2, 0.5, -0.1, 0.3];

test("tails and quantiles of Student's t are scipy's to seven digits", () => {
  const points = [0, 0.3, 2.4469, -1.2, 5, 30].flatMap((t) => [2, 5, 9, 39].map((df) => [t, df]));
  const tails = evaluated<number[]>("[float(stats.t.sf(t, df)) for t, df in cases]", points);
  for (const [at, [t = 0, df = 1]] of points.entries()) expect(Math.abs(studentTail(t, df) / (tails[at] ?? 0) - 1)).toBeLessThan(1e-7);
  const levels = [0.9, 0.95, 0.975, 0.995].flatMap((level) => [2, 5, 9, 39].map((df) => [level, df]));
  const quantiles = evaluated<number[]>("[float(stats.t.ppf(level, df)) for level, df in cases]", levels);
  for (const [at, [level = 0, df = 1]] of levels.entries()) expect(Math.abs(studentQuantile(level, df) / (quantiles[at] ?? 0) - 1)).toBeLessThan(1e-7);
});

test("skewness, both one-sided tests and the sign test are those of the reference", () => {
  const spread = samples.filter((sample) => new Set(sample).size > 1);
  const expected = evaluated<number[][]>("[[float(stats.skew(s, bias=False)), flips_above(s), hall_above(np.array(s)), sign_above(s)] for s in cases]", spread);
  const found = spread.map((sample) => [sampleSkewness(sample), signFlipTail(sample), hallTail(sample), signTail(sample)]);
  for (const [at, numbers] of found.entries()) expect(numbers).toEqual((expected[at] ?? []).map((value) => expect.closeTo(value, 7)));
});

test.each(["mean", "median"] as const)("p and pNull of the %s are those of the reference, with and without margin and lacking pairs", (kind) => {
  const cases = samples.flatMap((sample) => [[sample, 0, 0, kind] as const, [sample, 0.5, 0, kind] as const, [sample, 1, 2, kind] as const]);
  const expected = evaluated<[number, number][]>("[paired(*case) for case in cases]", cases);
  for (const [at, [sample, margin, lacking]] of cases.entries()) {
    const found = pairedTest(sample, { margin, lacking, test: kind });
    expect([found?.p, found?.pNull]).toEqual((expected[at] ?? []).map((value) => expect.closeTo(value, 6)));
  }
});

test("the published vector", () => {
  expect(signFlipTail(vector)).toBe(3 / 128); // the empty subset, −0.1 alone, and 0.1 − 0.1
  expect(hallTail(vector)).toBeCloseTo(0.0264334, 7);
  expect(pairedTest(vector)?.p).toBeCloseTo(0.0528668, 7);
  expect(pairedTest(vector, { margin: 0.1 })?.p).toBeCloseTo(0.1657628, 6);
  const { low, high } = hallInterval(vector, 0.95) ?? { low: 0, high: 0 };
  expect([low, high]).toEqual([expect.closeTo(-0.0057749, 6), expect.closeTo(0.3963261, 6)]);
});

test("Hall's interval ends where the reference's test has half of alpha, by bisection", () => {
  const spread = samples.filter((sample) => new Set(sample).size > 1).slice(0, 15);
  const expected = evaluated<[number, number][]>("[hall_interval(s) for s in cases]", spread);
  for (const [at, sample] of spread.entries()) {
    const found = hallInterval(sample, 0.95);
    const [low, high] = expected[at] ?? [0, 0];
    const digits = 1e-6 * (high - low);
    expect(Math.abs((found?.low ?? Number.NaN) - low)).toBeLessThan(digits);
    expect(Math.abs((found?.high ?? Number.NaN) - high)).toBeLessThan(digits);
  }
});

test.each(["mean", "median"] as const)("a margin lies outside the interval of the %s exactly when p is at most alpha, and around it when pNull is", (kind) => {
  const whole = fc.array(fc.integer({ min: -6, max: 14 }), { minLength: 6, maxLength: 11 });
  fc.assert(
    fc.property(whole, fc.constantFrom(0, 0.25, 3.25), (sample, margin) => {
      const { p = 1, pNull = 1, interval = null } = pairedTest(sample, { margin, test: kind }) ?? {};
      const { low, high } = interval ?? { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
      expect(low > margin || high < -margin).toBe(p <= 0.05);
      if (margin > 0) expect(low > -margin && high < margin).toBe(pNull <= 0.05);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test("the median and its interval are those of scipy's binomial test", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, null]);
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  // scipy.stats.binom.cdf(1, 10, 0.5) = 0.0107, cdf(2) = 0.0547: from the second value to the ninth.
  expect(medianInterval(values, 0.95)).toEqual({ low: 2, high: 9 });
  expect(medianInterval([1, 2, 3, 4, 5], 0.95)).toBeNull(); // 2 / 2^5 = 0.0625
});

test("a scale changes nothing, from the smallest doubles to the largest", () => {
  const whole = [4, 1, 3, 2, 5, -1, 3];
  const unit = pairedTest(whole, { margin: 1 });
  for (const size of [5e-324, 1e-200, 1e200, 3e307]) {
    const found = pairedTest(
      whole.map((value) => value * size),
      { margin: size },
    );
    expect([found?.p, found?.pNull, found?.skewness]).toEqual([unit?.p, unit?.pNull, unit?.skewness].map((value) => expect.closeTo(value ?? 0, 9)));
    expect((found?.centre ?? 0) / size).toBeCloseTo(17 / 7, size < 1e-300 ? 0 : 9);
  }
});

test("decimals at the end of the margin lie on it, and equal ones have no spread", () => {
  const differences = new Array<number>(9).fill(3.3522 - 2.8522); // 0.5 and 1.1e-16
  expect(pairedTest(differences, { margin: 0.5 })?.p).toBe(1);
  expect(pairedTest(differences, { margin: 0.4 })?.p).toBe(2 / 2 ** 9);
});

test("beyond 16 pairs, drawn sign flips come near the p of all", () => {
  const sample = Array.from({ length: 17 }, (_, at) => Math.round(1000 * (Math.sin(at * 12.9898) + 0.35)) / 1000);
  const [expected = Number.NaN] = evaluated<number[]>("[flips_above(s) for s in cases]", [sample]);
  expect(Math.abs(signFlipTail(sample, 7) - expected)).toBeLessThan((5 * Math.sqrt(expected * (1 - expected))) / Math.sqrt(100_000));
  expect(signFlipTail(sample, 7)).toBe(signFlipTail(sample, 7));
  expect(signFlipTail(new Array<number>(70).fill(1))).toBe(1 / 100_001);
});

test("skewed differences get the p of the median test, with five pairs or more", () => {
  // Ten values, nine of them near 0: G = 3.16, twice the standard error is 1.37. One value of ten is below 0: 2 · 11 / 2^10.
  const skewed = [0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.2, 0.3, -0.1, 9];
  expect(isSkewed(skewed)).toBe(true);
  expect(pairedTest(skewed)?.medianP).toBeCloseTo(22 / 1024, 12);
  expect(pairedTest(skewed, { test: "median" })?.medianP).toBeUndefined();
  expect(pairedTest(vector)?.medianP).toBeUndefined();
  expect(isSkewed([0, 0, 0, 9])).toBe(false);
});

test("fewer than three differences, and one that is not finite, give no test", () => {
  expect(pairedTest([1, 2])).toBeNull();
  expect(pairedTest([1, 2, Number.NaN])).toBeNull();
  expect(hallInterval([1, 2], 0.95)).toBeNull();
});
