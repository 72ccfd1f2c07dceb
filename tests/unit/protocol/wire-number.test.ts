import { expect, test } from "vitest";
import { wireNumberSchema } from "../../../src/protocol/wire-number.js";

test.each([
  [1.5, 1.5],
  [-0, -0],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
])("%s on the wire is the number %s", (wire, number) => {
  expect(wireNumberSchema.parse(wire)).toBe(number);
});

test.each(["nan", "inf", "1", "", null, true])("%s is no number", (wire) => {
  expect(wireNumberSchema.safeParse(wire).success).toBe(false);
});
