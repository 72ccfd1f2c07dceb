import { expect, test } from "vitest";
import { shownBound, shownFigure, shownP } from "../../../../src/sweep/experiment/experiment-verdict.js";

test("a number has four digits and a true minus", () => {
  expect([2.30001, -0.123456, 0, 265_905, 3e-5, 123_456_789, null].map(shownFigure)).toEqual(["2.3", "−0.1235", "0", "265900", "3.00e-5", "1.23e+8", "–"]);
});

test("a p value has two digits, and is never shown as 0", () => {
  expect([0.00390625, 1, 0.0499, 1e-9, null].map(shownP)).toEqual(["0.0039", "1", "0.05", "< 0.0001", "–"]);
});

test("a bound is rounded up", () => {
  expect([0.25887, 0.0029912, 0.95, 0.05].map((share) => shownBound(share))).toEqual(["26 %", "0.3 %", "95 %", "5 %"]);
});
