import { expect, test } from "vitest";
import { reduceSeries } from "../../../src/figures/reduce-figure.js";

const steps = Array.from({ length: 10_001 }, (_, step) => step);

test("a spike of one step survives, up or down", () => {
  const y = steps.map((step) => (step === 4321 ? 9 : step === 7001 ? -9 : Math.sin(step / 100)));
  const reduced = reduceSeries({ x: steps, y }, 800);
  expect(reduced.x.length).toBeLessThanOrEqual(800);
  expect(reduced.y[reduced.x.indexOf(4321)]).toBe(9);
  expect(reduced.y[reduced.x.indexOf(7001)]).toBe(-9);
});

test("its ends stay, in order, and every point is one of the line", () => {
  const y = steps.map((step) => step ** 0.5);
  const reduced = reduceSeries({ x: steps, y }, 100);
  expect([reduced.x[0], reduced.x.at(-1)]).toEqual([0, 10_000]);
  expect(reduced.x).toEqual([...reduced.x].sort((a, b) => a - b));
  expect(reduced.y).toEqual(reduced.x.map((step) => step ** 0.5));
});

test("a gap stays a gap", () => {
  const y = steps.map((step) => (step > 5000 && step < 5004 ? null : 1));
  expect(reduceSeries({ x: steps, y }, 400).y).toContain(null);
});

test("a short line is as it was", () => expect(reduceSeries({ x: [1, 2], y: [null, 3] }, 10)).toEqual({ x: [1, 2], y: [null, 3] }));
