import { expect, test } from "vitest";
import { tInterval } from "../../../../src/sweep/statistics/t-tests.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { sampledDifferences } from "./samples.js";

const program = `
import sys, json, warnings
from scipy import stats
warnings.simplefilter("ignore")
out = []
for sample in json.loads(sys.argv[1]):
    zeros = [0.0] * len(sample)
    interval = stats.ttest_rel(sample, zeros).confidence_interval(float(sys.argv[2]))
    out.append([interval.low, interval.high])
print(json.dumps(out))
`;

test.each([0.95, 0.99])("at level %d it is the interval of scipy's paired t test", (level) => {
  const samples = [[1, 2, 3], [0.4, -0.2], ...sampledDifferences(60, 2, 40)].filter((sample) => new Set(sample).size > 1);
  const expected = expectedFrom<[number, number][]>(program, JSON.stringify(samples), String(level));
  for (const [at, sample] of samples.entries()) {
    const interval = tInterval(sample, level);
    const [low, high] = expected[at] ?? [Number.NaN, Number.NaN];
    const digits = 1e-7 * (high - low);
    expect(Math.abs((interval?.low ?? Number.NaN) - low)).toBeLessThanOrEqual(digits);
    expect(Math.abs((interval?.high ?? Number.NaN) - high)).toBeLessThanOrEqual(digits);
  }
});

test("equal differences give an interval without width, zeros the interval from 0 to 0", () => {
  expect(tInterval([3, 3, 3])).toEqual({ low: 3, high: 3 });
  expect(tInterval([0, 0])).toEqual({ low: 0, high: 0 });
});

test("fewer than two values, and a value that is not finite, give none", () => {
  expect(tInterval([])).toBeNull();
  expect(tInterval([5])).toBeNull();
  expect(tInterval([1, Number.NaN])).toBeNull();
  expect(tInterval([1, Number.POSITIVE_INFINITY])).toBeNull();
});
