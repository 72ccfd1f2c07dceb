import { expect, test } from "vitest";
import { glance } from "../../../src/text/glance.js";

test("a short series is shown whole", () => {
  expect(glance(0, 3)).toEqual([0, 1, 2, 3]);
  expect(glance(1, 1)).toEqual([1]);
  expect(glance(1, 0)).toEqual([]);
});

test("of a long one 12 are shown, evenly spread, both ends among them", () => {
  expect(glance(0, 110)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
  expect(glance(1, 1001)).toHaveLength(12);
});
