import { expect, test } from "vitest";
import { exactNumber, exactNumberSchema } from "../../../src/analysis/exact-number.js";

test.each([
  [1.5, 1.5],
  [0, 0],
  [-0, "-0"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
])("%d is told as %j, which survives JSON", (value, told) => {
  expect(exactNumber(value)).toBe(told);
  expect(exactNumberSchema.parse(JSON.parse(JSON.stringify(exactNumber(value))))).toBe(told);
});
