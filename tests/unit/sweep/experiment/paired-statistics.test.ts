import { expect, test } from "vitest";
import { measureComparisonSchema, pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { evidenceOf, times } from "./experiment-runs.js";

const control = [2.31, 2.29, 2.35, 2.3, 2.41, 2.28, 2.33];
const treatment = [2.25, 2.3, 2.21, 2.28, 2.3, 2.2, 2.29];
const losses = (values: readonly number[]) => values.map((finalLoss) => ({ values: { finalLoss, deadC: 1 } }));

test("a measure is described and tested as numpy and scipy do it, paired by seed", () => {
  const program = `
import sys, json
import numpy as np
from scipy import stats
a, b = (np.array(values) for values in json.loads(sys.argv[1]))
interval = stats.ttest_rel(b, a).confidence_interval(0.95)
scaled = np.round((b - a) * 100)
flips = stats.permutation_test((scaled,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
n, t, g = len(scaled), stats.ttest_1samp(scaled, 0).statistic, stats.skew(scaled, bias=False)
p = max(flips, 2 * stats.t.sf(abs(t + g * t**2 / (3 * n**0.5) + g**2 * t**3 / (27 * n) + g / (6 * n**0.5)), n - 1))
print(json.dumps([a.mean(), a.std(ddof=1), b.mean(), b.std(ddof=1), (b - a).mean(), (b - a).std(ddof=1), interval.low, interval.high, float(p)]))
`;
  const expected = expectedFrom<number[]>(program, JSON.stringify([control, treatment]));
  const [found] = pairedStatistics(evidenceOf({ a: losses(control), b: losses(treatment) }, { decides: ["finalLoss"] }), []);
  expect(found).toMatchObject({ measure: "finalLoss", arm: "b", decides: true, margin: 0, test: "sign-flip and Hall", control: { values: control, n: 7 } });
  const { control: before, treatment: after, difference, p } = measureComparisonSchema.parse(found);
  const numbers = [before.mean, before.sd, after.mean, after.sd, difference.mean, difference.sd, difference.tInterval?.low, difference.tInterval?.high, p];
  expect(numbers).toEqual(expected.map((value) => expect.closeTo(value, 7)));
});

test("scores are tested by McNemar on their discordant pairs", () => {
  const scores = ["null", "null", "positive", "positive", "degenerate"] as const;
  const others = ["positive", "positive", "positive", "null", "positive"] as const;
  const evidence = evidenceOf({ a: scores.map((score) => ({ score })), b: others.map((score) => ({ score })) }, { decides: ["score"] });
  const [found] = pairedStatistics(evidence, []);
  // Of three discordant pairs, two one way: 2 · (1 + 3) / 8, which is 1.
  expect(found).toMatchObject({ test: "McNemar", discordant: { onlyControl: 1, onlyTreatment: 2 }, p: 1 });
  expect(found?.control.values).toEqual([0, 0, 1, 1, null]);
  expect(found?.difference.n).toBe(4);
});

test("Holm's correction goes over deciding measures × treatments, one that cannot be tested counting as 1", () => {
  const arms = { a: times(6, { values: { C: 1 } }), b: times(6, { values: { C: 2 } }), c: times(6, { values: { C: 3, P: 4 } }) };
  const found = pairedStatistics(evidenceOf(arms, { decides: ["C", "P"] }), ["unique"]);
  // 2 / 64 for C in both arms, the smallest of four tests; P has no pair.
  expect(found.map(({ measure, arm, p, holm }) => [measure, arm, p, holm])).toEqual([
    ["C", "b", 2 / 64, 8 / 64],
    ["P", "b", null, 1],
    ["unique", "b", null, null],
    ["C", "c", 2 / 64, 8 / 64],
    ["P", "c", null, 1],
    ["unique", "c", null, null],
  ]);
});

test("a run that is missing, or whose history means nothing, leaves its seed without a value", () => {
  const frozen = { degenerate: ["never-moved" as const], values: { C: 7 } };
  const [found] = pairedStatistics(evidenceOf({ a: times(3, { values: { C: 1 } }), b: [{ values: { C: 2 } }, frozen] }, { decides: ["C"] }), []);
  expect(found?.treatment).toEqual({ values: [2, null, null], n: 1, mean: 2, sd: null });
  expect(found?.difference).toMatchObject({ n: 1, mean: 1, sd: null, tInterval: null, signFlipInterval: null });
  expect(found).toMatchObject({ p: null, test: null });
});

test("intervals have the level 1 − alpha", () => {
  const width = (alpha: number) => {
    const [found] = pairedStatistics(evidenceOf({ a: losses(control), b: losses(treatment) }, { decides: ["finalLoss"], alpha }), []);
    const { low, high } = found?.difference.tInterval ?? { low: 0, high: 0 };
    return high - low;
  };
  // Quantiles 0.975 and 0.995 of t with 6 degrees of freedom, from a table.
  expect(width(0.01) / width(0.05)).toBeCloseTo(3.7074 / 2.4469, 3);
});
