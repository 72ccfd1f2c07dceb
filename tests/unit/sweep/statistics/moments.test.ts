import fc from "fast-check";
import { expect, test } from "vitest";
import { holm, moments, pairedDifferences } from "../../../../src/sweep/statistics/moments.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { sampledDifferences } from "./samples.js";

test("mean and spread are NumPy's", () => {
  const samples = [[2, 4, 4, 4, 5, 5, 7, 9], ...sampledDifferences(100, 2, 30)];
  const expected = expectedFrom<[number, number][]>(
    "import sys, json, numpy as np; print(json.dumps([[np.mean(s), np.std(s, ddof=1)] for s in json.loads(sys.argv[1])]))",
    JSON.stringify(samples),
  );
  for (const [at, sample] of samples.entries()) {
    const { n, mean, sd } = moments(sample);
    expect(n).toBe(sample.length);
    expect(mean).toBeCloseTo(expected[at]?.[0] ?? Number.NaN, 10);
    expect(sd).toBeCloseTo(expected[at]?.[1] ?? Number.NaN, 10);
  }
});

test("one value has no spread, and none has no mean either", () => {
  expect(moments([7])).toEqual({ n: 1, mean: 7, sd: null });
  expect(moments([])).toEqual({ n: 0, mean: null, sd: null });
});

test("equal values spread by exactly 0, whatever their decimals", () => {
  expect(moments([0.1, 0.1, 0.1])).toEqual({ n: 3, mean: 0.1, sd: 0 });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("where a value is %s there is neither mean nor spread", (value) => {
  expect(moments([1, value, 3])).toEqual({ n: 3, mean: null, sd: null });
});

test("pairs are formed by key, and the difference is treatment less control", () => {
  const control = new Map([
    [42, 1],
    [43, 5],
  ]);
  const treatment = new Map([
    [43, 7],
    [42, 4],
  ]);
  expect(pairedDifferences(control, treatment)).toEqual([
    { key: 42, control: 1, treatment: 4, difference: 3 },
    { key: 43, control: 5, treatment: 7, difference: 2 },
  ]);
});

test("a key without a finite value in both arms makes no pair", () => {
  const control = new Map<number, number | null>([
    [1, 1],
    [2, null],
    [3, Number.NaN],
    [4, 1],
    [5, 1],
  ]);
  const treatment = new Map<number, number | null>([
    [1, Number.POSITIVE_INFINITY],
    [2, 1],
    [3, 1],
    [5, 1],
    [6, 1],
  ]);
  expect(pairedDifferences(control, treatment).map(({ key }) => key)).toEqual([5]);
});

/** Holm's procedure is the closed one of Bonferroni's test: a hypothesis falls when each set of hypotheses that has it falls. */
const program = `
import sys, json
from itertools import combinations
def closed(ps):
    out = []
    for i in range(len(ps)):
        others = [p for j, p in enumerate(ps) if j != i]
        sets = [[ps[i], *chosen] for k in range(len(others) + 1) for chosen in combinations(others, k)]
        out.append(max(min(1, len(s) * min(s)) for s in sets))
    return out
print(json.dumps([closed(ps) for ps in json.loads(sys.argv[1])]))
`;

test("corrected values are those of the closed test of all subsets", () => {
  const random = fc.sample(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), { seed: 5, numRuns: 60 });
  const families = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5], ...random];
  const expected = expectedFrom<number[][]>(program, JSON.stringify(families));
  for (const [at, family] of families.entries()) expect(holm(family)).toEqual((expected[at] ?? []).map((p) => expect.closeTo(p, 12)));
});

test("four values, by hand, in the order given", () => {
  // 0.005 · 4, 0.01 · 3, 0.03 · 2, and 0.04 · 1, which may not be below the 0.06 before it
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
});

test("a family of one is left as it is, and one of none is empty", () => {
  expect(holm([0.2])).toEqual([0.2]);
  expect(holm([])).toEqual([]);
});
