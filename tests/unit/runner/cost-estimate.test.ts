import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainEventSchema } from "../../../src/protocol/events.js";
import { costEstimate } from "../../../src/runner/cost-estimate.js";
import { writeRunOfStates } from "../figures/run-of-states.js";

test("the rest takes as long a step as those that were measured, and all recorded tensors are counted", () => {
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
  const event = { seq: 1, mono: 1, wall: 1, type: "usage", global_step: 30, epoch: null, seconds: 5, cpu_cores: 1, peak_bytes: 1, gpu_peak_bytes: null };
  const usage = trainEventSchema.parse(event);
  if (usage.type !== "usage") throw new Error(usage.type);
  const { seconds, historyBytes, freeBytes } = costEstimate(directory, usage, 970, 20);
  expect(seconds).toBeCloseTo((5 / 20) * 970, 9);
  expect(historyBytes).toBe(["history.safetensors", "history.wte.grad.safetensors"].reduce((sum, name) => sum + statSync(join(directory, name)).size, 0));
  expect(freeBytes).toBeGreaterThan(0);
});
