import { expect, test } from "vitest";
import { trainOutcome } from "../../../src/bridge/trainer-options.js";
import type { ReplyOf } from "../../../src/protocol/operations.js";

const reply: ReplyOf<"trainer.train"> = {
  ...({} as ReplyOf<"trainer.train">),
  status: "stopped",
  reason: "signal",
  seconds: 4,
  max_steps: 100,
  global_step: 60,
  steps_this_time: 20,
  log_history: [{ step: 60, loss: 2.5 }],
  best_metric: null,
};

test("the speed is that of the steps that were taken this time, and the count of steps that of the whole run", () => {
  expect(trainOutcome("/runs/x", reply, 3)).toEqual({
    status: "stopped",
    reason: "signal",
    steps: { planned: 100, done: 60 },
    seconds: 4,
    stepsPerSecond: 5,
    logHistory: [{ step: 60, loss: 2.5 }],
    bestMetric: null,
    coalesced: 3,
    run: "/runs/x",
  });
});

test("a training that took no time has no speed", () => {
  expect(trainOutcome("/runs/x", { ...reply, seconds: 0, steps_this_time: 0 }, 0).stepsPerSecond).toBe(0);
});
