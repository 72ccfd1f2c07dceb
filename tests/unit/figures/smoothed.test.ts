import { expect, test } from "vitest";
import { smoothed } from "../../../src/figures/reduce-figure.js";

test("a level line stays level from its first point on: the mean has no bias", () => {
  for (const value of smoothed([3, 3, 3, 3], 0.9)) expect(value).toBeCloseTo(3, 12);
});

test("by hand: weight 0.5 over 0, 4, 8", () => {
  // Means 0, 2, 5 over the norms 0.5, 0.75, 0.875.
  const [first, second, third] = smoothed([0, 4, 8], 0.5);
  expect(first).toBe(0);
  expect(second).toBeCloseTo(2 / 0.75, 12);
  expect(third).toBeCloseTo(5 / 0.875, 12);
});

test("a gap stays one, and no weight changes nothing", () => {
  expect(smoothed([1, null, 2], 0)).toEqual([1, null, 2]);
  expect(smoothed([1, null, 2], 0.9)[1]).toBeNull();
});
