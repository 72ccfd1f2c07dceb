import { expect, test } from "vitest";
import { z } from "zod";
import { seedsOf, seedsSchema, writtenHead } from "../../../../src/sweep/grammar/sweep-schema.js";

const schema = z.strictObject(writtenHead("sweep", "trial"));

test.each(["quick", "my.yaml", { seed: 1, "model.norm": "layernorm" }, undefined])("%j is a base", (base) => {
  expect(schema.safeParse(base === undefined ? {} : { base }).success).toBe(true);
});

test.each(["", 5, ["quick"]])("%j is none", (base) => {
  expect(schema.safeParse({ base }).success).toBe(false);
});

test("its fields say what they are of", () => {
  expect(schema.shape.name.description).toBe("Name of the sweep (default: the file name).");
  expect(schema.shape.base.description).toMatch(/^What every trial starts from/);
});

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
