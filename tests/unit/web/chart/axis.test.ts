import { expect, test } from "vitest";
import { axisChoices, axisName, axisOf, plainAxis } from "../../../../web/src/chart/axis.js";

/** The first ten steps took a second each, the others three. */
const clock = { steps: [0, 10, 20], seconds: [0, 10, 40], epochs: [0, 1, 2] };

test("a step stands at its seconds and its epoch, between told steps along a line, and comes back from there", () => {
  const seconds = axisOf("seconds", clock);
  expect([0, 5, 10, 15, 20].map(seconds.of)).toEqual([0, 5, 10, 25, 40]);
  expect([0, 5, 25, 40].map(seconds.back)).toEqual([0, 5, 15, 20]);
  expect(axisOf("epoch", clock).of(15)).toBe(1.5);
  expect(seconds.of(30)).toBe(70); // a step that is newer than the clock
});

test("without a clock there are steps alone, and an address that names no axis means them", () => {
  expect(axisOf("seconds", null).name).toBe("step");
  expect(axisOf("epoch", { ...clock, epochs: null }).name).toBe("step");
  expect(axisChoices({ epochs: null }).map(([name]) => name)).toEqual(["step", "seconds"]);
  expect([axisName("epoch"), axisName("toString"), axisName(null)]).toEqual(["epoch", "step", "step"]);
});

test("what is on the axis already stays as it is; the end of a zoom is a whole step, and any part of an epoch", () => {
  expect(plainAxis("epoch").of(0.25)).toBe(0.25);
  expect(plainAxis("step").back(3.4)).toBe(3);
  expect(plainAxis("epoch").back(3.4)).toBe(3.4);
});
