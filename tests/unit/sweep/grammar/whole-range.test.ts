import { expect, test } from "vitest";
import { wholeRange } from "../../../../src/sweep/grammar/whole-range.js";

test.each([
  ["42..45", [42, 43, 44, 45]],
  [" 3 .. 1 ", [3, 2, 1]],
  ["-1..1", [-1, 0, 1]],
  ["7..7", [7]],
])("%s is a range with both ends", (text, values) => {
  expect(wholeRange(text)).toEqual(values);
});

test.each(["42", "1.5..3", "1..", "a..b", "1...3", "0..1000000"])("%s is none", (text) => {
  expect(wholeRange(text)).toBeUndefined();
});
