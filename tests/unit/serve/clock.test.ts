import { expect, test } from "vitest";
import { clockOf } from "../../../src/serve/clock.js";

/** Steps that took half a second each, a hundred an epoch. */
const stepsTo = (last: number) => Array.from({ length: last }, (_, at) => ({ step: at + 1, loss: 1, wall: at, seconds: (at + 1) / 2, epoch: (at + 1) / 100 }));

test("a run without a step has no clock, and one without epochs tells none", () => {
  expect(clockOf([])).toBeNull();
  expect(clockOf([{ step: 3, loss: 1, wall: 9, seconds: 2, epoch: null }])).toEqual({ steps: [0, 3], seconds: [0, 2], epochs: null });
});

test("a short run is told step by step, a long one by some of them, its last among them", () => {
  expect(clockOf(stepsTo(3))).toEqual({ steps: [0, 1, 2, 3], seconds: [0, 0.5, 1, 1.5], epochs: [0, 0.01, 0.02, 0.03] });
  const long = clockOf(stepsTo(10_000));
  expect(long?.steps).toHaveLength(401);
  expect([long?.steps.at(-1), long?.seconds.at(-1), long?.epochs?.at(-1)]).toEqual([10_000, 5000, 100]);
});
