import { expect, test } from "vitest";
import { shownValue } from "../../../src/config/shown-value.js";

test.each([
  ["text", '"text"'],
  ["", '""'],
  [null, "null"],
  [undefined, "undefined"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [-0, "-0"],
  [12n, "12n"],
  [{ a: [1, 2n] }, '{"a":[1,"2"]}'],
  [true, "true"],
])("%s is shown as %s", (value, text) => {
  expect(shownValue(value)).toBe(text);
});

test("a long value is cut after 60 characters, and one of 60 is not", () => {
  expect(shownValue("x".repeat(58))).toBe(`"${"x".repeat(58)}"`);
  expect(shownValue("x".repeat(59))).toBe(`"${"x".repeat(59)}… (59 characters)`);
});
