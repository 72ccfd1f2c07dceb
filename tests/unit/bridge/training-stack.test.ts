import { expect, test } from "vitest";
import { TrainingStack } from "../../../src/bridge/training-stack.js";
import type { ChannelMessage } from "../../../src/protocol/events.js";
import type { ReplyOf } from "../../../src/protocol/operations.js";
import type { EventReceiver } from "../../../src/python/event-channel.js";
import type { PythonSession } from "../../../src/python/python-session.js";

type Reply = ReplyOf<"trainer.train">;

const reply = (global_step: number): Reply => ({
  ...{ status: "completed", reason: null, global_step, max_steps: 9, steps_this_time: 9, seconds: 1, log_history: [], best_metric: null },
});
const raised = { type: "DiskFull", module: "bh_bridge.errors", message: "no room", code: "DISK_FULL", mro: [], traceback: "" };
const step: ChannelMessage = { type: "coalesced", events: 1 };

/** A session whose one call answers as it is told to, and what it was asked. */
function sessionOf(answer: (receiver: EventReceiver) => ReplyOf<"trainer.train_stack"> | Error) {
  const asked: unknown[] = [];
  const invoke = async (op: string, request: unknown, { receiver }: { receiver: EventReceiver }) => {
    asked.push([op, request]);
    const answered = answer(receiver);
    if (answered instanceof Error) throw answered;
    return answered;
  };
  return { session: { invoke } as unknown as PythonSession, asked };
}

function listening() {
  const heard: ChannelMessage[] = [];
  return {
    heard,
    call: { receiver: { onMessage: (message: ChannelMessage) => void heard.push(message), onInvalid: () => undefined }, onAbort: () => undefined },
  };
}

const requestOf = (training: number) => ({ handle: { slot: training, generation: 1 }, training });

test("trainings begin in one call when all are ready or gone, and each has its own events and end", async () => {
  const { session, asked } = sessionOf((receiver) => {
    receiver.onMessage(step, 4);
    receiver.onMessage({ type: "coalesced", events: 2 });
    return {
      ended: [
        { ok: reply(9), err: null },
        { ok: null, err: raised },
      ],
    };
  });
  const stack = new TrainingStack();
  const [first, gone, second] = [stack.slot(), stack.slot(), stack.slot()];
  const [one, other] = [listening(), listening()];
  const trained = first.train(session, requestOf(3), one.call);
  const failed = second.train(session, requestOf(4), other.call);
  await Promise.resolve();
  expect(asked).toEqual([]);
  gone.leave();
  gone.leave();
  await expect(trained).resolves.toEqual(reply(9));
  await expect(failed).rejects.toMatchObject({ code: "DISK_FULL", message: "no room" });
  first.leave(); // as everybody does at the end
  expect(asked).toEqual([["trainer.train_stack", { trainings: [requestOf(3), requestOf(4)] }]]);
  expect(one.heard).toEqual([{ type: "coalesced", events: 2 }]);
  expect(other.heard).toEqual([step, { type: "coalesced", events: 2 }]);
});

test("what ends the call ends all trainings of it", async () => {
  const { session } = sessionOf(() => new Error("Python is gone"));
  const stack = new TrainingStack();
  const [first, second] = [stack.slot(), stack.slot()];
  const both = [first.train(session, requestOf(1), listening().call), second.train(session, requestOf(2), listening().call)];
  for (const one of both) await expect(one).rejects.toThrow("Python is gone");
});
