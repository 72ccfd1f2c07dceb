import { expect, test } from "vitest";
import type { TrainEvent } from "../../../src/protocol/events.js";
import { type FollowedTraining, followTraining } from "../../../src/runner/train.js";

const step = (global_step: number): TrainEvent => ({ seq: global_step, mono: 0, wall: 0, type: "step_end", global_step, epoch: null, loss: 1 });

async function stepsOf(training: FollowedTraining<unknown>): Promise<number[]> {
  const steps: number[] = [];
  for await (const { global_step } of training) steps.push(global_step);
  return steps;
}

/** A training of two steps, which fails where it is asked to. */
function training(failure?: Error): FollowedTraining<string> {
  return followTraining(async (tell) => {
    await Promise.resolve();
    tell(step(1));
    tell(step(2));
    if (failure) throw failure;
    return "done";
  });
}

test("every reader is told of every event, and whoever awaits it gets the result", async () => {
  const both = training();
  expect(await Promise.all([stepsOf(both), stepsOf(both), both])).toEqual([[1, 2], [1, 2], "done"]);
});

test("it goes on when nobody follows it, and has nothing left to tell once it has ended", async () => {
  const alone = training();
  expect(await alone).toBe("done");
  expect(await stepsOf(alone)).toEqual([]);
});

test("a failure rejects, and ends the loop of whoever follows", async () => {
  const failing = training(new Error("no room"));
  await expect(stepsOf(failing)).rejects.toThrow("no room");
  await expect(failing).rejects.toThrow("no room");
});

test("a reader that has enough leaves, and the training goes on", async () => {
  const left = training();
  for await (const event of left) {
    expect(event).toEqual(step(1));
    break;
  }
  expect(await left).toBe("done");
});
