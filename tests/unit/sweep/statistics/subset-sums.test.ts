import { expect, test } from "vitest";
import { subsetSums } from "../../../../src/sweep/statistics/subset-sums.js";

test("sums and sizes of all subsets of three values, in the order of their bits", () => {
  const { sums, sizes } = subsetSums([1, 10, 100]);
  expect([...sums]).toEqual([0, 1, 10, 11, 100, 101, 110, 111]);
  expect([...sizes]).toEqual([0, 1, 1, 2, 1, 2, 2, 3]);
});

test("a sum that is 0 but for rounding is 0, a small value is itself", () => {
  expect(subsetSums([0.1, 0.2, -0.3]).sums[7]).toBe(0);
  expect(subsetSums([1, 1e-6]).sums[2]).toBe(1e-6);
});
