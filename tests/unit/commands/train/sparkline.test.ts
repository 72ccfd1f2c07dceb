import { expect, test } from "vitest";
import { Sparkline } from "../../../../src/commands/train/training-display.js";

function drawn(values: Iterable<number>, width: number): string {
  const sparkline = new Sparkline();
  for (const value of values) sparkline.push(value);
  return sparkline.draw(width);
}

test("the lowest value is the lowest block and the highest the highest", () => {
  expect(drawn([8, 7, 6, 5, 4, 3, 2, 1], 8)).toBe("█▇▆▅▄▃▂▁");
  expect(drawn([0, 7, 0], 8)).toBe("▁█▁");
});

test("a series that does not move is a low line, and one value is no series", () => {
  expect(drawn([5, 5, 5], 8)).toBe("▁▁▁");
  expect(drawn([5], 8)).toBe("");
});

test("values that are not finite are left out", () => {
  expect(drawn([1, Number.NaN, Number.POSITIVE_INFINITY, 2], 8)).toBe("▁█");
});

test("neighbours share a block where there are more values than blocks", () => {
  expect(drawn([0, 0, 7, 7, 0, 0, 7, 7], 4)).toBe("▁█▁█");
});

test.each([255, 256, 1000, 100_000])("a slope of %i values stays a slope over its whole length", (length) => {
  expect(drawn(Array(length).keys(), 8)).toBe("▁▂▃▄▅▆▇█");
});
