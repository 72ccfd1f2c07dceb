import { expect, test } from "vitest";
import { groupDigits } from "../../../src/text/group-digits.js";

test.each([
  [0, "0"],
  [999, "999"],
  [265_905, "265,905"],
  [-1_234_567, "-1,234,567"],
  [1234.5, "1,234.5"],
])("%d is written %s, whatever language the machine speaks", (value, text) => {
  expect(groupDigits(value)).toBe(text);
});
