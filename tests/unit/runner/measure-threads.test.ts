import { expect, test } from "vitest";
import { rate } from "../../../src/runner/measure-threads.js";

test.each([
  [
    "the steps after the warm-up",
    [
      [1, 0],
      [20, 200],
      [60, 210],
    ],
    4,
  ],
  [
    "the same steps, where the stream left out the one that the warm-up ends with",
    [
      [1, 0],
      [19, 200],
      [21, 201],
      [61, 211],
    ],
    4,
  ],
  [
    "all steps, where a slow training was ended within the warm-up",
    [
      [1, 5],
      [2, 8],
      [3, 15],
    ],
    0.2,
  ],
] as const)("the rate of a training is that of %s", (_, ends, expected) => {
  expect(rate(ends)).toBe(expected);
});
