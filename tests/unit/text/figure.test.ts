import { expect, test } from "vitest";
import { figure } from "../../../src/text/figure.js";

test.each([
  [0, "0"],
  [1 / 3, "0.3333"],
  [-12.5, "-12.50"],
  [99_999, "1.000e+5"],
  [123_456, "1.23e+5"],
  [0.00098, "9.80e-4"],
  [null, "–"],
  [undefined, "–"],
])("%s is %s", (value, text) => expect(figure(value)).toBe(text));
