import { expect, test } from "vitest";
import { laterSteps, stepOrNull, tokensUntil } from "../../../../src/analysis/scan/scan-history.js";

test("a token counts in each step up to its last, and one without a last step in none", () => {
  expect(tokensUntil(Int32Array.of(3, 1, 0), 4)).toEqual([2, 1, 1, 0]);
  expect(tokensUntil(Int32Array.of(), 2)).toEqual([0, 0]);
  expect(tokensUntil(Int32Array.of(1), 0)).toEqual([]);
});

test("step 0 is no step", () => {
  expect([0, 5].map(stepOrNull)).toEqual([null, 5]);
});

test("of two last steps the later counts, and no step is earlier than any", () => {
  expect(laterSteps(Int32Array.of(0, 3, 2), Int32Array.of(1, 0, 5))).toEqual(Int32Array.of(1, 3, 5));
});
