import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import type { Trainer } from "../../src/bridge/trainer.js";
import { type Decider, type LogEvent, type StepEndEvent, TrainerCallback } from "../../src/bridge/trainer-callback.js";
import type { TrainEvent } from "../../src/protocol/events.js";
import { act, lightSession } from "./light-session.js";
import { lightTrainer } from "./light-trainer.js";
import { rejectionOf } from "./rejection-of.js";

class EveryEvent extends TrainerCallback {
  readonly seen: string[] = [];
  override onTrainBegin = (event: TrainEvent) => this.#note(event);
  override onTrainEnd = (event: TrainEvent) => this.#note(event);
  override onStepBegin = (event: TrainEvent) => this.#note(event);
  override onPreOptimizerStep = (event: TrainEvent) => this.#note(event);
  override onOptimizerStep = (event: TrainEvent) => this.#note(event);
  override onSubstepEnd = (event: TrainEvent) => this.#note(event);
  override onStepEnd = (event: TrainEvent) => this.#note(event);
  override onLog = (event: TrainEvent) => this.#note(event);
  #note({ type, global_step }: TrainEvent): void {
    this.seen.push(`${type} ${global_step}`);
  }
}

const ofEachStep = ["step_begin", "pre_optimizer_step", "optimizer_step", "substep_end", "step_end"];

test("a storm of every event of every step of 2,000 steps loses nothing and keeps its order, for callbacks and readers alike", async () => {
  const callback = new EveryEvent();
  const trainer = await lightTrainer(await lightSession(), { max_steps: 2000, events: "all", log_every: 100 }, [callback]);
  const read: string[] = [];
  const reading = (async () => {
    for await (const { type, global_step } of trainer.events()) read.push(`${type} ${global_step}`);
  })();
  const outcome = await trainer.train();
  await reading;
  const steps = Array.from({ length: 2000 }, (_, index) => [
    ...ofEachStep.map((type) => `${type} ${index + 1}`),
    ...((index + 1) % 100 === 0 ? [`log ${index + 1}`] : []),
  ]);
  const expected = ["train_begin 0", ...steps.flat(), "train_end 2000"];
  expect(callback.seen).toEqual(expected);
  expect(read).toEqual(expected);
  expect(outcome.coalesced).toBe(0);
});

/** Node hears nothing meanwhile: what a callback with a long computation does to it. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds); // leaves the processor to Python
}

test("a reader that is too slow misses steps, is told how many, and misses no log", async () => {
  const steps: number[] = [];
  const logs: number[] = [];
  class Slow extends TrainerCallback {
    override onTrainBegin = () => block(5000);
    override onStepEnd = ({ global_step }: StepEndEvent) => void steps.push(global_step);
    override onLog = ({ global_step }: LogEvent) => void logs.push(global_step);
  }
  const trainer = await lightTrainer(await lightSession(), { max_steps: 120_000, log_every: 1000, durable: false }, [new Slow()]);
  const { coalesced } = await trainer.train();
  expect(coalesced).toBeGreaterThan(0);
  expect(steps.length + coalesced).toBe(120_000);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(logs).toEqual(Array.from({ length: 120 }, (_, index) => (index + 1) * 1000));
});

test("a callback that lags behind by more than 65,536 events misses steps and no log", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let steps = 0;
  const logs: number[] = [];
  class Waits extends TrainerCallback {
    override onTrainBegin = () => held;
    override onStepEnd = () => void steps++;
    override onLog = ({ global_step }: LogEvent) => void logs.push(global_step);
  }
  const trainer = await lightTrainer(await lightSession(), { max_steps: 70_000, log_every: 1000, durable: false }, [new Waits()]);
  trainer.onEvent(({ type }) => type === "train_end" && release());
  const { coalesced } = await trainer.train();
  expect(coalesced).toBeGreaterThan(0);
  expect(steps + coalesced).toBe(70_000);
  expect(logs).toHaveLength(70);
});

class Decides extends TrainerCallback {
  override decide: Decider;
  constructor(ask: Decider["ask"], timeoutMs?: number) {
    super();
    this.decide = { every: 1, ask, ...(timeoutMs !== undefined && { timeoutMs }) };
  }
}

test("10,002 questions are each answered by their own answer", async () => {
  const asked: number[] = [];
  const decider = new Decides(({ global_step }) => {
    asked.push(global_step);
    return { should_training_stop: global_step === 10_002 };
  });
  const outcome = await (await lightTrainer(await lightSession(), { max_steps: 20_000 }, [decider])).train();
  expect(outcome).toMatchObject({ status: "stopped", reason: "decider", steps: { done: 10_002 } });
  expect(asked).toEqual(Array.from({ length: 10_002 }, (_, index) => index + 1));
});

test("questions are answered while an observer of the same callback is still at work", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  class Both extends Decides {
    override onStepEnd = () => held;
  }
  const both = new Both(({ global_step }) => {
    if (global_step === 3) release();
    return undefined;
  });
  const outcome = await (await lightTrainer(await lightSession(), { max_steps: 3 }, [both])).train();
  expect(outcome.steps.done).toBe(3);
}, 5000);

test("a decider that hangs decides nothing: training goes on after its time, and an event says so", async () => {
  const trainer = await lightTrainer(await lightSession(), { max_steps: 2 }, [new Decides(() => new Promise(() => {}), 50)]);
  const timeouts: number[] = [];
  trainer.onEvent((event) => event.type === "decider_timeout" && timeouts.push(event.global_step));
  expect(await trainer.train()).toMatchObject({ status: "completed", steps: { done: 2 } });
  expect(timeouts).toEqual([1, 2]);
});

test("an abort does not wait for a decider that hangs", async () => {
  const controller = new AbortController();
  const trainer = await lightTrainer(await lightSession(), { max_steps: 1000 }, [
    new Decides(() => {
      controller.abort();
      return new Promise(() => {});
    }),
  ]);
  const started = Date.now();
  expect(await trainer.train({ signal: controller.signal })).toMatchObject({ status: "stopped", reason: "signal", steps: { done: 1 } });
  expect(Date.now() - started).toBeLessThan(1000);
});

test.each([
  ["throws", () => Promise.reject(new Error("undecided")), /Decides\.decide threw: undecided/],
  ["answers nonsense", () => ({ should_stop: true }) as object, /Decides\.decide threw: the answer is not a TrainerControl.*should_stop/s],
])("a decider that %s ends the training, with its error as the cause", async (_, ask, message) => {
  const error = await rejectionOf((await lightTrainer(await lightSession(), { max_steps: 1000, seconds: 0.001 }, [new Decides(ask)])).train());
  expect(error).toMatchObject({ code: "USER_CALLBACK_FAILED", message: expect.stringMatching(message), cause: expect.any(Error) });
});

test("a decider that waits for a call of its own model is told at once that it would wait for ever", async () => {
  const refusals: unknown[] = [];
  const session = await lightSession();
  const trainer: Trainer = await lightTrainer(session, { max_steps: 2 }, [
    new Decides(async () => {
      refusals.push(await rejectionOf(trainer.model.generate([1])));
      await setTimeout(1); // a wait of its own does not hide it
      refusals.push(await rejectionOf(trainer.model.tensor("transformer.wte.weight")));
      return undefined;
    }),
  ]);
  expect(await trainer.train()).toMatchObject({ status: "completed" });
  expect(refusals).toHaveLength(4);
  for (const refusal of refusals)
    expect(refusal).toMatchObject({ code: "USAGE", message: expect.stringMatching(/^Decides\.decide cannot wait for .*Python waits for its answer/) });
  await expect(act(session, "nothing")).resolves.toEqual({});
});

test("what a decider has begun, and does after its answer, is no deadlock", async () => {
  const session = await lightSession();
  let later: Promise<unknown> | undefined;
  const decider = new Decides(() => {
    later ??= setTimeout(20).then(() => act(session, "nothing"));
    return undefined;
  });
  await (await lightTrainer(session, { max_steps: 1 }, [decider])).train();
  await expect(later).resolves.toEqual({});
});

class Impatient extends TrainerCallback {
  constructor(override timeoutMs: number) {
    super();
  }
}

test.each([
  ["1e15", new Decides(() => undefined, 1e15), "callbacks[0].decide.timeoutMs of Decides is 1000000000000000: give milliseconds"],
  ["NaN", new Decides(() => undefined, Number.NaN), "decide.timeoutMs of Decides is NaN"],
  ["negative", new Decides(() => undefined, -1), "decide.timeoutMs of Decides is -1"],
  ["infinite, of an observer", new Impatient(Number.POSITIVE_INFINITY), "callbacks[0].timeoutMs of Impatient is Infinity"],
])("a time that is %s is refused before anything is prepared", async (_, callback, message) => {
  expect(await rejectionOf(lightTrainer(await lightSession(), { max_steps: 1 }, [callback]))).toMatchObject({
    code: "USAGE",
    message: expect.stringContaining(message),
  });
});

test("a cadence that is none is refused as well", async () => {
  const decider = Object.assign(new Decides(() => undefined), { decide: { every: 0, ask: () => undefined } });
  expect(await rejectionOf(lightTrainer(await lightSession(), { max_steps: 1 }, [decider]))).toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("decide.every"),
  });
});

test("an observer that throws ends the training after its step; no later event reaches a callback", async () => {
  const cause = new Error("from the callback");
  const later: number[] = [];
  class Throws extends TrainerCallback {
    override onStepEnd = ({ global_step }: StepEndEvent) => {
      if (global_step === 2) throw cause;
      later.push(global_step);
    };
  }
  const error = await rejectionOf((await lightTrainer(await lightSession(), { max_steps: 100_000, seconds: 0.001 }, [new Throws()])).train());
  expect(error).toMatchObject({ code: "USER_CALLBACK_FAILED", message: "Throws.onStepEnd threw: from the callback", cause });
  expect(later).toEqual([1]);
});

test('with onError = "continue" an observer that throws is a warning, and training goes on', async () => {
  class Throws extends TrainerCallback {
    override onError = "continue" as const;
    override onLog = () => {
      throw new Error("not so bad");
    };
  }
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const outcome = await (await lightTrainer(await lightSession(), { max_steps: 10, log_every: 10 }, [new Throws()])).train();
  expect(outcome.status).toBe("completed");
  expect(warning).toHaveBeenCalledWith("Throws.onLog threw: not so bad", "BhBridgeCallbackWarning");
  warning.mockRestore();
});

test("an observer that never ends does not keep train() from ending", async () => {
  class Hangs extends TrainerCallback {
    override timeoutMs = 50;
    override onTrainEnd = () => new Promise<void>(() => {});
  }
  const error = await rejectionOf((await lightTrainer(await lightSession(), { max_steps: 1 }, [new Hangs()])).train());
  expect(error).toMatchObject({ code: "USER_CALLBACK_FAILED", message: "Hangs.onTrainEnd threw: it had not ended after 50 ms" });
});

test("a callback that nothing else refers to is not collected while it is needed", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let count = 0;
  const trainer = await (async () => {
    class Counts extends TrainerCallback {
      override onStepEnd = () => {
        if (count++ % 100 === 0) collect();
      };
    }
    return lightTrainer(await lightSession(), { max_steps: 1000 }, [new Counts()]);
  })();
  collect();
  await trainer.train();
  expect(count).toBe(1000);
});

test.each([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
] as const)("a loss that is %s arrives as the number it is, in events, logs and questions", async (loss, expected) => {
  const seen: unknown[] = [];
  class Watch extends Decides {
    override onStepEnd = (event: StepEndEvent) => void seen.push(event.loss);
    override onLog = (event: LogEvent) => void seen.push(event.logs["loss"]);
  }
  const watch = new Watch((state) => void seen.push(state.loss) as undefined);
  const outcome = await (await lightTrainer(await lightSession(), { max_steps: 1, loss, log_every: 1 }, [watch])).train();
  expect(seen).toEqual([expected, expected, expected]);
  expect(outcome.logHistory).toEqual([{ loss: expected, worst: Number.NEGATIVE_INFINITY }]);
});

test("two trainings share a bridge one after the other; aborting the one that waits does not touch the other", async () => {
  const session = await lightSession();
  const controller = new AbortController();
  const first = await lightTrainer(session, { max_steps: 300, seconds: 0.001 });
  const second = await lightTrainer(session, { max_steps: 300 });
  await Promise.all([first.prepare(), second.prepare()]);
  const running = first.train();
  const waiting = rejectionOf(second.train({ signal: controller.signal }));
  controller.abort();
  expect(await waiting).toMatchObject({ code: "ABORTED" });
  expect(await running).toMatchObject({ status: "completed", steps: { done: 300 } });
});

test("events go to the trainer whose call they belong to", async () => {
  const session = await lightSession();
  const counts = [0, 0];
  const trainers = await Promise.all([0, 1].map(() => lightTrainer(session, { max_steps: 50 })));
  trainers.forEach((trainer, index) => {
    trainer.onEvent(({ type }) => {
      if (type === "step_end") counts[index] = (counts[index] ?? 0) + 1;
    });
  });
  await Promise.all(trainers.map((trainer) => trainer.train()));
  expect(counts).toEqual([50, 50]);
});

test("closing the bridge ends a training after its step, and train() says so", async () => {
  const session = await lightSession();
  const trainer = await lightTrainer(session, { max_steps: 100_000, seconds: 0.001 });
  trainer.onEvent(({ global_step }) => global_step === 5 && void session.close());
  expect(await trainer.train()).toMatchObject({ status: "stopped", reason: "closed" });
});

test("a trainer trains once", async () => {
  const trainer = await lightTrainer(await lightSession(), { max_steps: 1 });
  await trainer.train();
  expect(await rejectionOf(trainer.train())).toMatchObject({ code: "USAGE" });
});
