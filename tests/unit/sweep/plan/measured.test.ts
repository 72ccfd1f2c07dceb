import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import { measure, measuredOf, measureFirstSteps, minMemory, trialBytes } from "../../../../src/sweep/plan/measured.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { sweepTrial } from "../sweep-trial.js";

const leastBytes = 116_480 * 8; // bfloat16 weights, gradients and two moments of the model that is meant where none is named

/** A run that took a hundred steps in so many seconds, with these events in its log. */
function runOf(name: string, seconds: number, input: RunConfigInput, events: Record<string, unknown>[]) {
  const run = join(temporaryDirectory(), name);
  mkdirSync(run);
  const lines = events.map((event, seq) => `${JSON.stringify({ seq, mono: seq, wall: seq, global_step: 0, epoch: null, ...event })}\n`);
  writeFileSync(join(run, "events.jsonl"), lines.join(""));
  return { config: parseRunConfig({ engine: "fast", ...input, training: { max_steps: 300 } }), run, steps: 100, seconds };
}

const usage = (peak_bytes: number) => ({ type: "usage", seconds: 1, cpu_cores: 1, peak_bytes, gpu_peak_bytes: null });

test("runs are measured together, by the largest memory of them", () => {
  const first = runOf("first", 10, {}, [usage(5e8)]);
  const second = runOf("second", 12, {}, [usage(6e8)]);
  expect(measure([first, second])).toEqual({
    stack: 1,
    stepsPerSecond: 200 / (10 + 12),
    secondsAround: 0,
    peakBytes: 6e8,
    leastBytes,
  });
});

test("the memory of a run that is gone, or that did not report it, is unknown", () => {
  expect(measure([runOf("silent", 10, {}, [])])).toMatchObject({ stepsPerSecond: 10, peakBytes: null });
  expect(measure([{ ...runOf("gone", 10, {}, []), run: null }])).toMatchObject({ stepsPerSecond: 10, peakBytes: null });
});

test("the pace is that of the later steps, and what comes before and after is told apart", () => {
  const stepsAt = (...times: number[]) => times.map((mono, index) => ({ type: "step_end", global_step: index + 1, mono, loss: 2 }));
  const begun = (mono: number) => ({ type: "train_begin", mono, max_steps: 6, logging_steps: 1, num_train_epochs: 1, train_batch_size: 1, window_order: null });
  // 2 s for the first step; one each half second later; 3 s of checkpoint and end.
  const first = runOf("first", 0, {}, [begun(120), ...stepsAt(122, 122.5, 123, 123.5, 124, 124.5), { type: "train_end", mono: 127.5 }]);
  expect(measureFirstSteps([first])).toMatchObject({ stepsPerSecond: 2, secondsAround: 7.5 - 6 / 2 });
  // Two in a stack: the last step of the second waits for the end of the first.
  const stack = { stack: 2 };
  const one = runOf("one", 0, stack, [begun(10), ...stepsAt(12, 13, 14, 15, 16, 17), { type: "train_end", mono: 19 }]);
  const other = runOf("other", 0, stack, [begun(11), ...stepsAt(12, 13, 14, 15, 16, 19.5), { type: "train_end", mono: 21 }]);
  expect(measureFirstSteps([one, other])).toMatchObject({ stack: 2, stepsPerSecond: 1, secondsAround: 11 - 6 });
  const short = { ...runOf("short", 10, {}, [begun(1), ...stepsAt(2, 3), { type: "train_end", mono: 4 }]) };
  expect(measureFirstSteps([short])).toMatchObject({ stepsPerSecond: 10, secondsAround: 0 }); // too few to tell
});

test("trials of a plan are measured by the width of their stacks, and what was not trained is not", () => {
  const inputs: RunConfigInput[] = [{}, { stack: 2 }, { stack: 2, seed: 1 }, { stack: 3 }];
  const trials = inputs.map((input, index) => ({
    trial: String(index),
    set: {},
    corpus: "",
    config: parseRunConfig({ engine: "fast", ...input }),
  }));
  const trained = sweepTrial({}, 2, { run: null }); // ten steps in a second
  const [alone, stack, ...others] = measuredOf(trials, [trained, trained, trained, { ...trained, result: null }]);
  expect(alone).toMatchObject({ stack: 1, stepsPerSecond: 10, leastBytes });
  expect(stack).toMatchObject({ stack: 2, stepsPerSecond: 10, leastBytes: 2 * leastBytes });
  expect(others).toEqual([]);
});

// The default model has 116,160 weights with RMSNorm and 116,480 with LayerNorm, whose biases are counted for both.
const weights = 116_480;

test("histories, checkpoints, final model and events are counted", () => {
  const config = parseRunConfig({ training: { max_steps: 1000 }, checkpoint: { keep: 2 } });
  const history = 1001 * (128 * 64 * 2 + 24);
  // Three checkpoints, and replay points of a fifth of the history: six more checkpoints would take more.
  const expected = history + history * 0.2 + 3 * weights * 6 + weights * 2 + 1000 * 200 + 200_000;
  expect(trialBytes(config)).toBe(Math.round(expected));
  const without = parseRunConfig({ training: { max_steps: 1000 }, checkpoint: { every: null, keep: 2 } });
  expect(trialBytes(without)).toBe(history + 3 * weights * 6 + weights * 2 + 1000 * 200 + 200_000);
});

test("the weights of all steps take a third of their bytes, and two thirds of those of float32", () => {
  const bytes = (dtype: string, model: string) => trialBytes(parseRunConfig({ model: { dtype }, record: { model }, training: { max_steps: 899 } }));
  expect(bytes("bfloat16", "deltas") - bytes("bfloat16", "off")).toBeCloseTo(900 * weights * 2 * (1 / 3), 3);
  expect(bytes("float32", "deltas") - bytes("float32", "off")).toBeCloseTo(900 * weights * 4 * (2 / 3), 3);
});

test("fewer rows and a slower beat take less, wide moments more", () => {
  const bytes = (values: object) => trialBytes(parseRunConfig(values));
  expect(bytes({ record: { rows: [1, 2, 3] } })).toBeLessThan(bytes({}) / 2);
  expect(bytes({ record: { every: 10 } })).toBeLessThan(bytes({}) / 5);
  expect(bytes({ record: { every: "0..100, every 1000" } })).toBeLessThan(bytes({}) / 5);
  const both = { tensors: ["wte", "wte.grad"] };
  expect(bytes({ record: { ...both, schedules: { "wte.grad": 1000 } } })).toBeLessThan(bytes({ record: both }) * 0.6);
  expect(bytes({ training: { optimizer_state_dtype: "float32" } })).toBeGreaterThan(bytes({}));
});

test("a stack keeps weights and gradients of each place, and two moments of each run", () => {
  const stack = (values: object) => parseRunConfig({ engine: "fast", stack: 4, ...values });
  expect(minMemory(parseRunConfig({}), 1)).toBe(weights * 8);
  expect(minMemory(stack({}), 4)).toBe(4 * weights * 8);
  expect(minMemory(stack({}), 3)).toBe(weights * (4 * 4 + 3 * 4));
  expect(minMemory(stack({ training: { optimizer_state_dtype: "float32" } }), 1)).toBe(weights * (4 * 4 + 8));
});
