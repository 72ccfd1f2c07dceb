import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { costEstimate, type StepEnd, stepSeconds } from "../../../src/runner/cost-estimate.js";
import { writeRunOfStates } from "../figures/run-of-states.js";

test("a step takes as long as the later half of those that have ended, whatever the first ones checked", () => {
  const ends: StepEnd[] = [1, 2, 3, 4, 5, 6].map((step) => [10 + step, 107 + step / 2]); // the first 7.5 s, each other half a second
  expect(stepSeconds([10, 100], ends)).toBe(0.5);
  expect(stepSeconds([10, 100], ends.slice(0, 1)), "one step alone").toBe(7.5);
});

test("steps that are told at once count from the beginning", () => {
  const ends: StepEnd[] = [1, 2, 3, 4].map((step) => [step, 102]);
  expect(stepSeconds([0, 100], ends)).toBe(0.5);
});

test("the rest takes as long a step as one does now, and all recorded tensors are counted", () => {
  const states = [
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ];
  const directory = writeRunOfStates({ states, tensors: { "wte.grad": states } });
  const { seconds, historyBytes, freeBytes } = costEstimate(directory, 0.25, 970);
  expect(seconds).toBe(0.25 * 970);
  expect(historyBytes).toBe(["history.safetensors", "history.wte.grad.safetensors"].reduce((sum, name) => sum + statSync(join(directory, name)).size, 0));
  expect(freeBytes).toBeGreaterThan(0);
});
