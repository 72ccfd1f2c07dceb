import { expect, test } from "vitest";
import { clockReading } from "../../../../web/src/chart/axis.js";

/** The first ten steps took a second each, the others three. */
const clock = { steps: [0, 10, 20], seconds: [0, 10, 40], epochs: null };

test("between told steps it goes evenly, and on beyond the last one; back leads to the step", () => {
  const seconds = clockReading(clock, "seconds");
  expect([0, 5, 10, 15, 20, 30].map((step) => seconds?.of(step))).toEqual([0, 5, 10, 25, 40, 70]);
  expect([0, 5, 10, 25, 40, 70].map((value) => seconds?.back(value))).toEqual([0, 5, 10, 15, 20, 30]);
});

test("what the clock does not tell cannot be read", () => expect(clockReading(clock, "epochs")).toBeUndefined());

test("a clock of one step stands still", () => {
  expect(clockReading({ steps: [3], seconds: [7], epochs: null }, "seconds")?.of(100)).toBe(7);
});
