import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import { type Measured, trialBytes } from "../../../../src/sweep/plan/measured.js";
import { planCost, planTime, requireRoom } from "../../../../src/sweep/plan/plan-cost.js";
import type { Trial } from "../../../../src/sweep/plan/plan-trials.js";
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

/** What a trial of this configuration takes: bfloat16 weights, gradients and two moments are 8 bytes of each weight. */
const leastBytes = 116_480 * 8;
const probe: Measured = { stack: 1, stepsPerSecond: 10, secondsAround: 0, peakBytes: 5e8, leastBytes };

const fastTrials = (...inputs: RunConfigInput[]): Trial[] =>
  inputs.map((input, seed) => ({
    trial: String(seed),
    set: {},
    corpus: "",
    config: parseRunConfig({ engine: "fast", seed, ...input, training: { max_steps: 300, ...input.training } }),
  }));

test("what is left is told by the trials that have been trained", () => {
  const cost = planCost(folder, trials, [state("a", { status: "completed", run: folder, result }), state("b"), state("c")], { workers: 8 });
  expect(cost).toMatchObject({ trials: 2, workers: 2, stepsPerSecond: 25, seconds: 4, diskBytes: 2 * trialBytes(config) });
  expect(cost.freeBytes).toBeGreaterThan(0);
});

test("a corpus takes its memory in each run, and what was measured has that of its own", () => {
  const large = trials.map((trial) => ({ ...trial, corpusBytes: 3e9 }));
  const states = trials.map(({ trial }) => state(trial));
  expect(planCost(folder, large, states, { workers: 2 }).memoryBytes).toBe(2 * (leastBytes + 3e9));
  expect(planCost(folder, large, states, { workers: 1 }, [probe]).memoryBytes).toBe(5e8 + 3e9); // the probe had a small one
  expect(planCost(folder, large, states, { workers: 1 }, [{ ...probe, peakBytes: 35e8, leastBytes: leastBytes + 3e9 }]).memoryBytes).toBe(35e8);
});

test("where none has been trained a probe tells, and else nothing does", () => {
  const states = trials.map(({ trial }) => state(trial));
  expect(planCost(folder, trials, states, { workers: 2 })).toMatchObject({
    seconds: null,
    stepsPerSecond: null,
    memoryBytes: 2 * 116_480 * 8, // bfloat16 weights, gradients and two moments each
  });
  expect(planCost(folder, trials, states, { workers: 1 }, [probe])).toMatchObject({
    seconds: 30,
    memoryBytes: 5e8,
  });
});

test("of a family whose blocks are not known here the disk is told as a least", () => {
  const other = parseRunConfig({ model: { type: "opt", hidden_size: 16 }, data: { window_length: 8 } });
  const states = trials.map(({ trial }) => state(trial));
  expect(planCost(folder, trials, states, { workers: 1 }).diskIsLeast).toBeUndefined();
  expect(planCost(folder, [{ trial: "a", set: {}, config: other, corpus: "" }], states.slice(0, 1), { workers: 1 }).diskIsLeast).toBe(true);
});

test("a run that was begun has its room already", () => {
  const states = [state("a", { status: "lost", run: folder }), state("b", { status: "failed" }), state("c", { status: "pruned" })];
  expect(planCost(folder, trials, states, { workers: 1 })).toMatchObject({ trials: 1, diskBytes: 0 });
});

test("failed trials count when they are tried again, but for one that took all its steps", () => {
  const states = [state("a", { status: "failed", run: folder }), state("b", { status: "failed" }), state("c", { status: "failed", run: folder, result })];
  expect(planCost(folder, trials, states, { workers: 1 })).toMatchObject({ trials: 0, diskBytes: 0, memoryBytes: 0 });
  expect(planCost(folder, trials, states, { workers: 1, retry: true })).toMatchObject({ trials: 2, diskBytes: trialBytes(config) });
});

test("what the disk cannot hold is refused with both numbers", () => {
  const cost = planCost(folder, trials, [], { workers: 1 });
  expect(() => requireRoom({ ...cost, diskBytes: 3_000_000, freeBytes: 2_000_000 })).toThrow(
    "3 trials will take 3.00 MB of disk space, but only 2.00 MB are free",
  );
});

test("workers that do not fit into the memory are refused, with how many do", () => {
  const cost = { ...planCost(folder, trials, [], { workers: 3 }, [{ ...probe, peakBytes: 4e8 }]), diskBytes: 0 };
  expect(() => requireRoom(cost, 1e9)).toThrow("3 workers will take 1.20 GB of memory, but this machine has 1.00 GB: --workers 2 fits");
  expect(() => requireRoom(cost, 3e8)).toThrow("not even one fits: make the model smaller");
  expect(() => requireRoom(cost, 1.2e9)).not.toThrow();
});

test("trials of a stack are trained at the same time, in one process that grows with each of them", () => {
  const stacked = fastTrials(...Array.from({ length: 5 }, () => ({ stack: 2 })));
  const measured = { ...probe, stack: 2, leastBytes: 2 * leastBytes };
  expect(planCost(folder, stacked, [], { workers: 1 }, [measured])).toMatchObject({ workers: 1, together: 2, seconds: 90, memoryBytes: 5e8 });
  expect(planCost(folder, stacked, [], { workers: 8 }, [measured])).toMatchObject({ workers: 3, together: 5, seconds: 30, memoryBytes: 15e8 });
  expect(planCost(folder, trials, [], { workers: 2 }).together).toBeUndefined();
});

test("of a stack whose width was not measured the time is not known; its memory is that of Python, and of its runs", () => {
  const stacked = fastTrials(...Array.from({ length: 4 }, () => ({ stack: 4 })));
  const cost = planCost(folder, stacked, [], { workers: 1 }, [probe]);
  expect(cost).toMatchObject({ seconds: null, stepsPerSecond: null, memoryBytes: 5e8 + 3 * leastBytes });
  expect(planCost(folder, stacked, [], { workers: 1 })).toMatchObject({ seconds: null, memoryBytes: 4 * leastBytes });
});

test("stacks beside trials that are alone take each their own time", () => {
  const both = fastTrials({ stack: 2 }, { stack: 2 }, {});
  const cost = planCost(folder, both, [], { workers: 1 }, [probe, { ...probe, stack: 2, stepsPerSecond: 6, secondsAround: 4 }]);
  expect(cost).toMatchObject({ seconds: 300 / 6 + 4 + 300 / 10, stepsPerSecond: 600 / 80 });
});

test("a stack that does not fit says that it may be made smaller", () => {
  const stacked = fastTrials({ stack: 2 }, { stack: 2 });
  const cost = { ...planCost(folder, stacked, [], { workers: 1 }, [{ ...probe, stack: 2 }]), diskBytes: 0 };
  expect(() => requireRoom(cost, 1e6)).toThrow("not even one fits: make the model smaller, or reduce engine.batched_runs");
});

test("each worker takes the next work when it is free", () => {
  expect(planTime([10, 4, 4, 4], 2)).toBe(12); // one does 10, the other 4 + 4 + 4
  expect(planTime([10, 10, 10], 2)).toBe(20); // not 15: the third has to be waited for
  expect(planTime([], 0)).toBe(0);
});
