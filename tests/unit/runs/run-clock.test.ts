import { expect, test } from "vitest";
import { type TrainEvent, trainEventSchema } from "../../../src/protocol/events.js";
import { runClock, stepTimes } from "../../../src/runs/run-clock.js";

let seq = 0;
const at = (mono: number, global_step: number) => ({ seq: seq++, mono, wall: 0, global_step, epoch: global_step / 100 });
const begin = (mono: number): TrainEvent =>
  trainEventSchema.parse({ ...at(mono, 0), type: "train_begin", max_steps: 4, logging_steps: 1, num_train_epochs: 1, train_batch_size: 8 });
const end = (mono: number, step: number): TrainEvent => trainEventSchema.parse({ ...at(mono, step), type: "step_end", loss: 1 });
const resumed = (mono: number, step: number): TrainEvent => trainEventSchema.parse({ ...at(mono, step), epoch: null, type: "resumed", recomputed_to: step });

/** Steps that took half a second each, a hundred an epoch. */
const stepsTo = (last: number) => Array.from({ length: last }, (_, index) => ({ step: index + 1, seconds: (index + 1) / 2, epoch: (index + 1) / 100 }));

test("seconds are those of training: a stop does not count, whatever the clock of the process that goes on", () => {
  for (const later of [500, 3]) {
    const times = stepTimes([begin(10), end(12, 1), end(15, 2), resumed(later, 2), end(later + 2, 3), end(later + 3.5, 4)]);
    expect(times.map(({ step, seconds }) => [step, seconds])).toEqual([
      [1, 2],
      [2, 5],
      [3, 7],
      [4, 8.5],
    ]);
  }
});

test("a clock that is set back takes no seconds away", () => {
  expect(stepTimes([begin(10), end(12, 1), end(11, 2), end(13, 3)]).map(({ seconds }) => seconds)).toEqual([2, 2, 4]);
});

test("a training without a step has no clock, and one without epochs tells none", () => {
  expect(runClock([])).toBeNull();
  expect(runClock([{ step: 3, seconds: 2, epoch: null }])).toEqual({ steps: [0, 3], seconds: [0, 2], epochs: null });
});

test("a short training is told step by step, a long one by some of them, its newest among them", () => {
  expect(runClock(stepsTo(3))).toEqual({ steps: [0, 1, 2, 3], seconds: [0, 0.5, 1, 1.5], epochs: [0, 0.01, 0.02, 0.03] });
  const long = runClock(stepsTo(10_000));
  expect(long?.steps).toHaveLength(401);
  expect(long?.seconds).toEqual(long?.steps.map((step) => step / 2));
  expect([long?.steps.at(-1), long?.epochs?.at(-1)]).toEqual([10_000, 100]);
});
