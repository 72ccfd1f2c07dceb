import { expect, test } from "vitest";
import { moments } from "../../../../src/sweep/statistics/moments.js";
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
