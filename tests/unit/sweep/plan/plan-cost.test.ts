import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { planCost, requireDisk } from "../../../../src/sweep/plan/plan-cost.js";
import type { Trial } from "../../../../src/sweep/plan/plan-trials.js";
import { trialBytes } from "../../../../src/sweep/plan/trial-bytes.js";
import type { SweepTrial } from "../../../../src/sweep/sweep-document.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const config = parseRunConfig({ training: { max_steps: 100 } });
const trials: Trial[] = ["a", "b", "c"].map((trial) => ({ trial, set: {}, config, corpus: "" }));
const folder = join(temporaryDirectory(), "not", "there", "yet");

function state(trial: string, changes: Partial<SweepTrial> = {}): SweepTrial {
  return { trial, status: "planned", run: null, set: {}, reason: null, result: null, ...changes };
}

const result = {
  steps: 100,
  seconds: 4,
  finite: true,
  finalLoss: 2,
  census: { rows: 128, unique: 1, C: 1, P: 128, populations: [128] },
  displacement: { float64: 0, float32: 0, bfloat16: 0 },
  verdict: { result: "null" as const, reason: "" },
};

test("what is left is told by the trials that have been trained", () => {
  const cost = planCost(folder, trials, [state("a", { status: "completed", run: folder, result }), state("b"), state("c")], 8);
  expect(cost).toMatchObject({ trials: 2, workers: 2, stepsPerSecond: 25, seconds: 4, diskBytes: 2 * trialBytes(config), memoryBytes: null });
  expect(cost.freeBytes).toBeGreaterThan(0);
});

test("where none has been trained a probe tells, and else nothing does", () => {
  const states = trials.map(({ trial }) => state(trial));
  expect(planCost(folder, trials, states, 1)).toMatchObject({ seconds: null, stepsPerSecond: null });
  expect(planCost(folder, trials, states, 1, { stepsPerSecond: 10, peakBytes: 5 })).toMatchObject({ seconds: 30, memoryBytes: 5 });
});

test("a run that was begun has its room already", () => {
  const states = [state("a", { status: "lost", run: folder }), state("b", { status: "failed" }), state("c", { status: "pruned" })];
  expect(planCost(folder, trials, states, 1)).toMatchObject({ trials: 1, diskBytes: 0 });
});

test("what the disk cannot hold is refused with both numbers", () => {
  const cost = planCost(folder, trials, [], 1);
  expect(() => requireDisk({ ...cost, diskBytes: 3_000_000, freeBytes: 2_000_000 })).toThrow("3 trials will take 3.00 MB on the disk, and 2.00 MB are free");
});
