import { expect, test } from "vitest";
import { seedsOf, seedsSchema } from "../../../../src/sweep/grammar/seeds.js";

test.each([
  ["42..44", [42, 43, 44]],
  [7, [7]],
  [
    [3, 1, 3],
    [3, 1],
  ],
])("%j are seeds, each once", (written, seeds) => {
  expect(seedsOf(seedsSchema.parse(written))).toEqual(seeds);
});

test.each(["-1..2", "all", [], [1.5], 2 ** 32])("%j are none", (written) => {
  expect(seedsSchema.safeParse(written).success).toBe(false);
});
