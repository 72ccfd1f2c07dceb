import { expect, test } from "vitest";
import { bandOf } from "../../../../web/src/plan/seed-band.js";

test("mean and sample standard deviation over seeds", () => {
  // By hand: 1, 2, 6 have mean 3 and squares 4 + 1 + 9 = 14 over 2: sd √7.
  const lines = [1, 2, 6].map((value) => ({ x: [0, 1, 2], y: [value, value, value] }));
  const { x, mean, upper, lower } = bandOf(lines);
  expect(x).toEqual([0, 1, 2]);
  expect(mean).toEqual([3, 3, 3]);
  expect(upper[1]).toBeCloseTo(3 + Math.sqrt(7), 12);
  expect(lower[1]).toBeCloseTo(3 - Math.sqrt(7), 12);
});

test("means stand where all lines that reach a step have recorded it, and lines end where they end", () => {
  const { x, mean } = bandOf([
    { x: [0, 4], y: [0, 4] },
    { x: [0, 2], y: [2, 2] },
  ]);
  expect(x).toEqual([0, 4]);
  expect(mean).toEqual([1, 4]);
});

test("one seed has a mean and no band", () => {
  const { mean, upper } = bandOf([{ x: [0, 1], y: [5, 7] }]);
  expect(mean).toEqual([5, 7]);
  expect(upper).toEqual([null, null]);
});
