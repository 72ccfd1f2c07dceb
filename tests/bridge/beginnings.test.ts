import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { TrainerCallback } from "../../src/bridge/trainer-callback.js";
import { lightSession } from "./light-session.js";
import { lightRuns, lightTrainer } from "./light-trainer.js";
import { rejectionOf } from "./rejection-of.js";

let before: string[] = [];
afterEach(() => {
  before = lightRuns();
});
/** The runs that this test has made. */
const newRuns = () => lightRuns().filter((run) => !before.includes(run));

class ThrowsAtOnce extends TrainerCallback {
  override onInitEnd = () => {
    throw new Error("at once");
  };
}

test("a throw in onInitEnd rejects at once, before a step is taken, and leaves no run; so does the next attempt", async () => {
  const trainer = await lightTrainer(await lightSession(), { max_steps: 1_000_000 }, [new ThrowsAtOnce()]);
  const steps: number[] = [];
  trainer.onEvent(({ type, global_step }) => type === "step_end" && steps.push(global_step));
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(await rejectionOf(trainer.train())).toMatchObject({ code: "USER_CALLBACK_FAILED", message: "ThrowsAtOnce.onInitEnd threw: at once" });
  }
  expect(await rejectionOf(trainer.prepare())).toMatchObject({ code: "USER_CALLBACK_FAILED" });
  expect(steps).toEqual([]);
  expect(newRuns()).toEqual([]);
});

test("a run that was prepared and never trained goes with its trainer, and with its bridge", async () => {
  const session = await lightSession();
  const [closed, left] = [await lightTrainer(session, { max_steps: 1 }), await lightTrainer(session, { max_steps: 1 })];
  await closed.prepare();
  await left.prepare();
  expect(newRuns()).toHaveLength(2);
  await closed.close();
  expect(newRuns()).toHaveLength(1);
  await session.close();
  expect(newRuns()).toEqual([]);
});

test("a training that never gets its turn leaves no run", async () => {
  const session = await lightSession();
  const controller = new AbortController();
  const [first, second] = [await lightTrainer(session, { max_steps: 100, seconds: 0.001 }), await lightTrainer(session, { max_steps: 1 })];
  await Promise.all([first.prepare(), second.prepare()]);
  const running = first.train();
  const waiting = rejectionOf(second.train({ signal: controller.signal }));
  controller.abort();
  expect(await waiting).toMatchObject({ code: "ABORTED" });
  const { run } = await running;
  expect(newRuns().map((name) => run.endsWith(name))).toEqual([true]);
});

test("a preparation that failed says why and leaves no run, and the trainer trains when it is tried again", async () => {
  const trainer = await lightTrainer(await lightSession(), { max_steps: 2, failing: 1 });
  expect(await rejectionOf(trainer.train())).toMatchObject({ code: "PYTHON_RAISED", message: expect.stringContaining("no room for a trainer") });
  expect(newRuns()).toEqual([]);
  expect(await trainer.train()).toMatchObject({ status: "completed", steps: { done: 2 } });
  expect(newRuns()).toHaveLength(1);
});

test("a preparation that is cancelled leaves no run once Python has let go of it", async () => {
  const session = await lightSession();
  const controller = new AbortController();
  const trainer = await lightTrainer(session, { max_steps: 1, making: "spin" });
  const preparing = rejectionOf(trainer.train({ signal: controller.signal }));
  await vi.waitFor(() => expect(readFileSync(join(session.folder, "python.log"), "utf8")).toContain("begun"));
  controller.abort();
  expect(await preparing).toMatchObject({ code: "ABORTED" });
  await vi.waitFor(() => expect(newRuns()).toEqual([]));
});

test("a reader of events that comes after the training, or whose bridge is closed, gets to the end", async () => {
  const session = await lightSession();
  const trainer = await lightTrainer(session, { max_steps: 1 });
  await trainer.train();
  expect(await trainer.events().next()).toEqual({ done: true, value: undefined });
  const never = (await lightTrainer(session, { max_steps: 1 })).events().next();
  await session.close();
  expect(await never).toEqual({ done: true, value: undefined });
});

test("a trainer that is closed says so", async () => {
  const trainer = await lightTrainer(await lightSession(), { max_steps: 1 });
  await trainer.prepare();
  await trainer.close();
  expect(await rejectionOf(trainer.train())).toMatchObject({ code: "USAGE", message: expect.stringContaining("is closed") });
});
