import { expect, test } from "vitest";
import { seedsOf, seedsSchema } from "../../../../src/sweep/grammar/seeds.js";

test.each([
  ["42..44", [42, 43, 44]],
  [7, [7]],
  [
    [3, 1],
    [3, 1],
  ],
  ["4..4", [4]],
])("%j are seeds", (written, seeds) => {
  expect(seedsOf(seedsSchema.parse(written))).toEqual(seeds);
});

test.each(["-1..2", "all", [], [1.5], 2 ** 32])("%j are none", (written) => {
  expect(seedsSchema.safeParse(written).success).toBe(false);
});

test.each([
  [[1, 1, 2], "seed 1 is listed more than once; list each seed once"],
  ["5..1", "the range runs backwards; did you mean 1..5?"],
])("%j are refused with the reason", (written, message) => {
  expect(seedsSchema.safeParse(written).error?.issues).toMatchObject([{ message }]);
});
