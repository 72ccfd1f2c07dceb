import { expect, test } from "vitest";
import { isCoalescible, maxWaitingEvents } from "../../../src/bridge/callback-dispatcher.js";
import { EventStream } from "../../../src/bridge/event-streams.js";
import type { TrainEvent } from "../../../src/protocol/events.js";

const at = (global_step: number) => ({ seq: global_step, mono: 0, wall: 0, global_step, epoch: null });
const step = (number: number): TrainEvent => ({ ...at(number), type: "step_end", loss: 1 });
const save = (number: number): TrainEvent => ({ ...at(number), type: "save", checkpoint: "x" });
const lag = { maxWaiting: maxWaitingEvents, isDroppable: isCoalescible };

async function readAll(stream: EventStream<TrainEvent>): Promise<number[]> {
  const steps: number[] = [];
  for await (const { global_step } of stream) steps.push(global_step);
  return steps;
}

test("what was pushed before and while it is read arrives in order, until the end", async () => {
  const stream = new EventStream(lag, () => undefined);
  stream.push(step(1));
  const reading = readAll(stream);
  await new Promise((resolve) => setImmediate(resolve));
  stream.push(step(2));
  stream.push(save(3));
  stream.end();
  expect(await reading).toEqual([1, 2, 3]);
  expect(await readAll(stream)).toEqual([]);
});

test("a stream that nobody reads keeps no more steps than it may, and every save", async () => {
  const stream = new EventStream(lag, () => undefined);
  for (let number = 1; number <= maxWaitingEvents + 100; number++) stream.push(step(number));
  stream.push(save(-1));
  stream.end();
  const steps = await readAll(stream);
  expect(steps).toHaveLength(maxWaitingEvents + 1);
  expect(steps.at(-1)).toBe(-1);
});

test("a reader that leaves its loop is told to the source, and gets nothing more", async () => {
  let hasLeft = false;
  const stream = new EventStream(lag, () => {
    hasLeft = true;
  });
  stream.push(step(1));
  stream.push(step(2));
  for await (const _ of stream) break;
  expect(hasLeft).toBe(true);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});
