import { expect, test } from "vitest";
import { pairedDifferences } from "../../../../src/sweep/statistics/paired-differences.js";

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
