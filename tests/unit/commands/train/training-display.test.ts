import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StartedRun } from "../../../../src/bridge/run-record.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { TrainingDisplay } from "../../../../src/commands/train/training-display.js";
import { trainEventSchema } from "../../../../src/protocol/events.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";
import { hearStderr } from "../hear-stderr.js";

const directory = writeRun({ folder: temporaryDirectory(), id: "run", steps: 100 });
const started = (fromStep = 0) => ({ directory, fromStep }) as StartedRun;

const written = hearStderr();
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const event = (type: string, global_step: number, over: object = {}) =>
  trainEventSchema.parse({ seq: 1, mono: 1, wall: 1, global_step, epoch: null, type, ...over });
const usage = (step: number, seconds: number) => event("usage", step, { seconds, cpu_cores: 1, peak_bytes: 5e8, gpu_peak_bytes: null });
const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");

test("in a log file there is a line now and then, with rate, time left and the loss that was logged last", () => {
  const display = new TrainingDisplay(new Terminal({ color: false }), 1000);
  display.onStart(started());
  display.onEvent(event("log", 100, { logs: { loss: 3.25 } }));
  for (let step = 1; step <= 310; step++) {
    vi.advanceTimersByTime(100);
    display.onEvent(event("step_end", step, { loss: 2 }));
  }
  expect(linesOf(written.text)).toEqual(["Training: 300 of 1,000 steps (30 %), 10.0 steps/s, 1 min 10 s left, loss 3.2500"]);
});

test("what the rest will cost is said once, from the steps that this process has measured", () => {
  const display = new TrainingDisplay(new Terminal({ color: false }), 1000);
  display.onStart(started(500));
  display.onEvent(usage(500, 1)); // nothing is measured yet
  for (let step = 501; step <= 600; step++) display.onEvent(event("step_end", step, { loss: 2, mono: 1 + (step - 500) / 5 }));
  display.onEvent(usage(600, 20));
  display.onEvent(usage(700, 50));
  const [line = "", ...others] = linesOf(written.text);
  expect(line).toMatch(/^Estimate ≈ 1 min 20 s left, .* history \(reserved\), 500 MB memory; .* of disk space free$/); // 400 steps at 0.2 s
  expect(others).toEqual([]);
});

test("alerts, and what became of a faster step, are told as they happen", () => {
  const display = new TrainingDisplay(new Terminal({ color: false }), 1000);
  display.onStart(started());
  display.onEvent(event("alert", 7, { kind: "non-finite", message: "the loss is NaN" }));
  expect(linesOf(written.text)).toEqual(["Alert at step 7: the loss is NaN"]);
});

test("with --progress json every event is a line, behind one that says where the run lies", () => {
  const display = new TrainingDisplay(new Terminal({ color: false, progress: "json" }), 1000);
  display.onStart(started(10));
  display.onEvent(event("step_end", 11, { loss: "NaN" }));
  const lines = linesOf(written.text).map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({ type: "run", directory, fromStep: 10, steps: 1000 });
  expect(lines.filter(({ type }) => type === "train")).toMatchObject([{ event: { type: "step_end", global_step: 11, loss: "NaN" } }]);
});

test("with --quiet nothing is said", () => {
  const display = new TrainingDisplay(new Terminal({ color: false, quiet: true, progress: "none" }), 1000);
  display.onStart(started());
  display.onEvent(event("alert", 7, { kind: "stall", message: "no step" }));
  display.onEvent(usage(100, 10));
  display.stop();
  expect(written.text).toBe("");
});
