import { expect, test } from "vitest";
import { fisherTest, permutations, unpairedTest } from "../../../../src/sweep/statistics/unpaired-test.js";
import { expectedFrom } from "../../formats/reference-python.js";

const program = `
import sys, json
import numpy as np
from scipy import stats

def above(x, y, theta):
    """Larger one-sided p of scipy's exact permutation test and Welch's test that y - x is above theta."""
    y = y - theta
    mean = lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis)
    permuted = stats.permutation_test((y, x), mean, permutation_type="independent", alternative="greater", n_resamples=np.inf, vectorized=True).pvalue
    return max(permuted, stats.ttest_ind(y, x, equal_var=False, alternative="greater").pvalue)

out = []
for control, treatment, margin, low, high in json.loads(sys.argv[1]):
    x, y = np.array(control, dtype=float), np.array(treatment, dtype=float)
    below = lambda theta: above(-x, -y, -theta)
    welch = stats.ttest_ind(y, x, equal_var=False).confidence_interval(0.95)
    eps = 1e-6 * (high - low)
    out.append({
        "p": min(1, 2 * min(above(x, y, margin), below(-margin))),
        "pNull": min(1, 2 * max(above(x, y, -margin), below(margin))),
        "welch": [welch.low, welch.high],
        "outside": [above(x, y, low - eps), below(high + eps)],
        "inside": [above(x, y, low + eps), below(high - eps)],
    })
print(json.dumps(out))
`;

interface Expected {
  p: number;
  pNull: number;
  welch: [number, number];
  outside: [number, number];
  inside: [number, number];
}

const samples: [control: number[], treatment: number[], margin: number][] = [
  [[3.28, 3.2791, 3.2803, 3.2788], [3.2772, 3.2756, 3.2784, 3.2783], 0],
  [[0.42, 0.44, 0.4, 0.47, 0.41], [0.52, 0.39, 0.58], 0.05],
  [[1, 2, 2, 3, 5], [2, 2, 4, 6, 7, 3], 0.5],
  [[10.5, 9.25, 11.125, 10, 9.75, 10.25, 10.875, 9.5], [12.5, 8, 15.25, 10], 0],
];

test("p, the p of null and the interval are those of scipy's permutation test and Welch's test", () => {
  const tested = samples.map(([control, treatment, margin]) => unpairedTest(control, treatment, { margin }));
  const questions = samples.map((sample, at) => [...sample, tested[at]?.interval?.low ?? 0, tested[at]?.interval?.high ?? 1]);
  const expected = expectedFrom<Expected[]>(program, JSON.stringify(questions));
  for (const [at, { p, pNull, welch, outside, inside }] of expected.entries()) {
    const found = tested[at];
    expect(found?.method).toBe("all");
    expect(found?.p).toBeCloseTo(p, 8);
    expect(found?.pNull).toBeCloseTo(pNull, 8);
    expect([found?.welchInterval?.low, found?.welchInterval?.high].map((value, end) => Math.abs((value ?? 0) - (welch[end] ?? 1)) < 1e-6)).toEqual([
      true,
      true,
    ]);
    for (const end of [0, 1]) {
      expect(outside[end]).toBeLessThanOrEqual(0.025);
      expect(inside[end]).toBeGreaterThan(0.025);
    }
  }
});

test("three runs against three give no interval and no p of 0.05, four against four do", () => {
  expect(permutations(3, 3)).toBe(20);
  const three = unpairedTest([1, 1.1, 1.2], [5, 5.1, 5.2]);
  expect(three).toMatchObject({ interval: null, p: 0.1 });
  expect(unpairedTest([1, 1.1, 1.2, 1.3], [5, 5.1, 5.2, 5.3])?.p).toBeCloseTo(2 / 70, 12);
});

test("drawn permutations come close to all of them", () => {
  const control = Array.from({ length: 10 }, (_, at) => ((at * 7) % 11) / 10);
  const all = unpairedTest(control, control.map((value) => value + 0.3).slice(0, 9));
  const drawn = unpairedTest(
    [...control, 0.4, 0.5, 0.6],
    [...control, 0.4, 0.5, 0.6].map((value) => value + 0.3),
  );
  const swapped = unpairedTest(
    [...control, 0.4, 0.5, 0.6].map((value) => value + 0.3),
    [...control, 0.4, 0.5, 0.6],
  );
  expect(all?.method).toBe("all");
  expect(drawn?.method).toBe("drawn");
  expect(drawn?.centre).toBeCloseTo(0.3, 12);
  expect(swapped?.p).toBeCloseTo(drawn?.p ?? 0, 2);
  expect(drawn?.interval?.low).toBeCloseTo(-(swapped?.interval?.high ?? 0), 2);
});

test("the test is independent of scale, and a missing run counts against a difference", () => {
  const [control, treatment] = [
    [1, 2, 3, 4, 5],
    [4, 5, 6, 7, 8],
  ];
  const plain = unpairedTest(control, treatment);
  const large = unpairedTest(
    control.map((value) => value * 1e200),
    treatment.map((value) => value * 1e200),
  );
  expect(large?.p).toBe(plain?.p);
  expect(unpairedTest(control, treatment, { lacking: { control: 0, treatment: 1 } })?.p).toBeGreaterThan(plain?.p ?? 1);
  expect(unpairedTest([1, 2], treatment)).toBeNull();
  expect(unpairedTest([1, 2, Number.NaN], treatment)).toBeNull();
});

test("Fisher's p is twice the smaller tail of scipy's", () => {
  const tables = [
    [0, 5, 5, 5],
    [1, 8, 6, 7],
    [3, 9, 3, 9],
    [0, 4, 0, 6],
    [10, 12, 2, 30],
  ];
  const expected = expectedFrom<number[]>(
    `
import sys, json
from scipy.stats import fisher_exact
tail = lambda a, n, b, m, which: fisher_exact([[b, m - b], [a, n - a]], alternative=which).pvalue
print(json.dumps([min(1, 2 * min(tail(*t, "greater"), tail(*t, "less"))) for t in json.loads(sys.argv[1])]))`,
    JSON.stringify(tables),
  );
  const arm = (ones = 0, n = 0) => Array.from({ length: n }, (_, at) => Number(at < ones));
  for (const [at, [a, n, b, m]] of tables.entries()) expect(fisherTest(arm(a, n), arm(b, m))).toBeCloseTo(expected[at] ?? -1, 12);
});
