import { afterEach, expect, test } from "vitest";
import { CallbackDispatcher } from "../../../src/bridge/callback-dispatcher.js";
import { type Decider, type LogEvent, type StepEndEvent, TrainerCallback } from "../../../src/bridge/trainer-callback.js";
import { type ChannelCommand, type ChannelMessage, channelMessageSchema } from "../../../src/protocol/events.js";

let seq = 0;
const message = (fields: object): ChannelMessage => channelMessageSchema.parse({ seq: seq++, mono: 0, wall: 0, epoch: 0, ...fields });
const stepEnd = (global_step: number) => message({ type: "step_end", global_step, loss: 1 });
const log = (global_step: number) => message({ type: "log", global_step, logs: {} });
const state = { global_step: 1, max_steps: 2, epoch: 0, loss: 1, best_metric: null, log_history: [] };
const question = (decider: number) => channelMessageSchema.parse({ type: "decide", question: 7, decider, event: "step_end", state });

/** A dispatcher, and what it asked of its trainer. */
function dispatching(...callbacks: TrainerCallback[]) {
  const sent: ChannelCommand[] = [];
  const answered: string[] = [];
  let stops = 0;
  const dispatcher = new CallbackDispatcher(callbacks, {
    send: (command) => void sent.push(command),
    stop: () => void stops++,
    answer: (name, task) => {
      answered.push(name);
      return task();
    },
  });
  return { dispatcher, sent, answered, stops: () => stops };
}

class Steps extends TrainerCallback {
  readonly seen: string[] = [];
  override onStepEnd = ({ global_step }: StepEndEvent) => void this.seen.push(`step ${global_step}`);
}

class Decides extends TrainerCallback {
  override decide: Decider;

  constructor(decide: Decider) {
    super();
    this.decide = decide;
  }
}

const warnings: Error[] = [];
const onWarning = (warning: Error) => void warnings.push(warning);
afterEach(() => {
  process.off("warning", onWarning);
  warnings.length = 0;
});

test("only the events that somebody watches are asked for, and deciders are told with what they left out", () => {
  class Logs extends TrainerCallback {
    override onLog = () => undefined;
  }
  const { dispatcher } = dispatching(
    new Steps(),
    new Logs(),
    new Decides({ ask: () => undefined }),
    new Decides({ every: 5, on: ["log"], timeoutMs: 1500, ask: () => undefined }),
  );
  expect(dispatcher.events).toEqual(["step_end", "log"]);
  expect(dispatcher.deciders).toEqual([
    { every: null, on: [], timeout_seconds: 30 },
    { every: 5, on: ["log"], timeout_seconds: 1.5 },
  ]);
});

test("events reach callbacks one at a time and in order, however long one takes", async () => {
  const seen: string[] = [];
  class Slow extends TrainerCallback {
    override onStepEnd = async ({ global_step }: StepEndEvent) => {
      seen.push(`slow begins ${global_step}`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`slow ends ${global_step}`);
    };
  }
  class Quick extends TrainerCallback {
    override onStepEnd = ({ global_step }: StepEndEvent) => void seen.push(`quick ${global_step}`);
    override onLog = ({ global_step }: LogEvent) => void seen.push(`log ${global_step}`);
  }
  const { dispatcher } = dispatching(new Slow(), new Quick());
  for (const each of [stepEnd(1), log(1), stepEnd(2)]) dispatcher.onMessage(each);
  await dispatcher.delivered();
  expect(seen).toEqual(["slow begins 1", "slow ends 1", "quick 1", "log 1", "slow begins 2", "slow ends 2", "quick 2"]);
});

test("a callback that throws stops the training and hears nothing more; the first failure is told", async () => {
  class Throws extends Steps {
    override onStepEnd = ({ global_step }: StepEndEvent) => {
      this.seen.push(`step ${global_step}`);
      throw new Error(`no ${global_step}`);
    };
  }
  const throws = new Throws();
  const { dispatcher, stops } = dispatching(throws);
  dispatcher.onMessage(stepEnd(1));
  dispatcher.onMessage(stepEnd(2));
  await expect(dispatcher.delivered()).rejects.toMatchObject({ code: "USER_CALLBACK_FAILED", message: "Throws.onStepEnd threw: no 1" });
  expect([throws.seen, stops()]).toEqual([["step 1"], 1]);
});

test("one that goes on is a warning, and hears the next", async () => {
  process.on("warning", onWarning);
  class Throws extends Steps {
    override onError = "continue" as const;
    override onStepEnd = ({ global_step }: StepEndEvent) => {
      this.seen.push(`step ${global_step}`);
      throw "a text"; // what is no Error is told as well
    };
  }
  const throws = new Throws();
  const { dispatcher, stops } = dispatching(throws);
  dispatcher.onMessage(stepEnd(1));
  dispatcher.onMessage(stepEnd(2));
  await dispatcher.delivered();
  await new Promise((resolve) => setImmediate(resolve));
  expect([throws.seen, stops()]).toEqual([["step 1", "step 2"], 0]);
  expect(warnings.map(({ name, message }) => [name, message])).toEqual(Array(2).fill(["BhBridgeCallbackWarning", "Throws.onStepEnd threw: a text"]));
});

test("an observer that never ends counts as thrown after its time", async () => {
  class Hangs extends TrainerCallback {
    override timeoutMs = 5;
    override onStepEnd = () => new Promise<void>(() => undefined);
  }
  const { dispatcher } = dispatching(new Hangs());
  dispatcher.onMessage(stepEnd(1));
  await expect(dispatcher.delivered()).rejects.toMatchObject({ message: "Hangs.onStepEnd threw: it had not ended after 5 ms" });
});

test("a question goes to its decider with the state, and its answer back to Python", async () => {
  const asked: unknown[] = [];
  const decides = new Decides({
    ask(state) {
      asked.push(state);
      return { should_save: true };
    },
  });
  const { dispatcher, sent, answered } = dispatching(new Steps(), decides);
  dispatcher.onMessage(question(0));
  await expect.poll(() => sent).toEqual([{ type: "answer", question: 7, control: { should_save: true } }]);
  expect([asked, answered]).toEqual([[state], ["Decides.decide"]]);
});

test.each<[what: string, ask: Decider["ask"]]>([
  ["nothing", () => undefined],
  ["something that is no control", () => ({ should_stop: true }) as object],
  ["an error", () => Promise.reject(new Error("no"))],
])("a decider that answers with %s does not keep Python waiting", async (what, ask) => {
  const { dispatcher, sent, stops } = dispatching(new Decides({ ask }));
  dispatcher.onMessage(question(0));
  await expect.poll(() => sent).toEqual([{ type: "answer", question: 7, control: {} }]);
  expect(stops()).toBe(what === "nothing" ? 0 : 1);
});

test("a question to nobody is answered with nothing", async () => {
  const { dispatcher, sent } = dispatching();
  dispatcher.onMessage(question(3));
  await expect.poll(() => sent).toEqual([{ type: "answer", question: 7, control: {} }]);
});

test("what Python left out counts, and what cannot be read ends the training", async () => {
  const { dispatcher, stops } = dispatching(new Steps());
  dispatcher.onMessage(channelMessageSchema.parse({ type: "coalesced", events: 4 }));
  dispatcher.onMessage(channelMessageSchema.parse({ type: "coalesced", events: 3 }));
  expect(dispatcher.coalesced).toBe(7);
  dispatcher.onInvalid(new Error("not JSON"));
  await expect(dispatcher.delivered()).rejects.toMatchObject({ code: "PROTOCOL_INVALID", message: "an event of the training is invalid: Error: not JSON" });
  expect(stops()).toBe(1);
});

test("behind a callback that lags, events of steps are left out, and no other", async () => {
  const steps = new Steps();
  class Logs extends TrainerCallback {
    logs = 0;
    override onLog = () => void this.logs++;
  }
  const logs = new Logs();
  const { dispatcher } = dispatching(steps, logs);
  const step = stepEnd(1);
  for (let each = 0; each < 65_536 + 10; each++) dispatcher.onMessage(step); // at once: nothing is delivered meanwhile
  dispatcher.onMessage(log(1));
  await dispatcher.delivered();
  expect([steps.seen.length, logs.logs, dispatcher.coalesced]).toEqual([65_536, 1, 10]);
});
