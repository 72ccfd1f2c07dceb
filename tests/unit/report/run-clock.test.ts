import { expect, test } from "vitest";
import { type TrainEvent, trainEventSchema } from "../../../src/protocol/events.js";
import { runClock } from "../../../src/report/run-clock.js";

let seq = 0;
const at = (mono: number, global_step: number) => ({ seq: seq++, mono, wall: 1e9 + mono, global_step, epoch: global_step / 100 });
const begin = (mono: number, step: number): TrainEvent =>
  trainEventSchema.parse({ ...at(mono, step), type: "train_begin", max_steps: 4, logging_steps: 1, num_train_epochs: 1, train_batch_size: 8 });
const end = (mono: number, step: number): TrainEvent => trainEventSchema.parse({ ...at(mono, step), type: "step_end", loss: 1 });

test("seconds are those of training: a stop does not count, and a step that is taken again counts as it was taken last", () => {
  const before = [begin(10, 0), end(12, 1), end(15, 2), end(19, 3)];
  const after = [begin(500, 2), end(502, 3), end(503.5, 4)]; // resumed after step 2, on a clock of its own
  expect(runClock([...before, ...after])).toEqual({ steps: [1, 2, 3, 4], epochs: [0.01, 0.02, 0.03, 0.04], seconds: [2, 5, 7, 8.5] });
});

test("a run that has hardly begun has no clock, and a long one has the ends of it", () => {
  expect(runClock([begin(0, 0), end(1, 1)])).toBeUndefined();
  const long = runClock([begin(0, 0), ...Array.from({ length: 5000 }, (_, step) => end(2 * (step + 1), step + 1))]);
  expect(long?.steps.length).toBe(200);
  expect([long?.steps[0], long?.steps.at(-1), long?.seconds.at(-1)]).toEqual([1, 5000, 10_000]);
});
