import { expect, test } from "vitest";
import { reduceSeries } from "../../../src/serve/reduce-series.js";

const length = 10_000;
const x = Array.from({ length }, (_, at) => at);

test("a short line stays as it is", () => {
  expect(reduceSeries({ x: [1, 2, 3], y: [3, Number.NaN, 1] }, 10)).toEqual({ x: [1, 2, 3], y: [3, Number.NaN, 1] });
});

test.each([0, 1, 4999, 7777, 9999])("a spike at %i of 10,000 survives, up and down", (place) => {
  for (const height of [1000, -1000]) {
    const y = x.map((at) => (at === place ? height : Math.sin(at / 50)));
    const reduced = reduceSeries({ x, y }, 400);
    expect(reduced.x.length).toBeLessThanOrEqual(400);
    expect(reduced.y[reduced.x.indexOf(place)]).toBe(height);
  }
});

test("first and last point stay, x rises, and every point is one of the line", () => {
  const y = x.map((at) => Math.cos(at * at));
  const reduced = reduceSeries({ x, y }, 300);
  expect([reduced.x[0], reduced.x.at(-1)]).toEqual([0, length - 1]);
  expect(reduced.x.every((at, index) => index === 0 || at > (reduced.x[index - 1] ?? 0))).toBe(true);
  expect(reduced.x.every((at, index) => reduced.y[index] === y[at])).toBe(true);
});

test("a stretch without numbers leaves a gap, not a number", () => {
  const y = x.map((at) => (at > 3000 && at < 6000 ? Number.NaN : 1));
  const reduced = reduceSeries({ x, y }, 400);
  expect(reduced.y.some(Number.isNaN)).toBe(true);
});
