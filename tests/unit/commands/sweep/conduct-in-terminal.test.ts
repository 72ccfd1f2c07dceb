import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SweepDisplay } from "../../../../src/commands/sweep/conduct-in-terminal.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import type { SweepTrial } from "../../../../src/sweep/sweep-document.js";
import { sweepTrial } from "../../sweep/sweep-trial.js";
import { hearStderr } from "../hear-stderr.js";

const isTTY = process.stderr.isTTY;
const written = hearStderr();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  process.stderr.isTTY = isTTY;
});

/** A display, and what it has written since it was asked last. */
function display(where: "terminal" | "file", quiet = false) {
  vi.stubEnv("CI", "");
  process.stderr.isTTY = where === "terminal";
  const shown = new SweepDisplay(new Terminal({ color: false, quiet }));
  const lines = () => {
    const text = stripVTControlCharacters(written.text);
    written.text = "";
    return text.split(/[\r\n]+/).filter((line) => line !== "");
  };
  return { shown, lines };
}

const planned = (seed: number) => sweepTrial({ seed }, null, { status: "planned", run: null, result: null });
const running = (trial: SweepTrial): SweepTrial => ({ ...trial, status: "running" });

/** Trials with the seeds 1, 2, …, each of 100 steps. */
function begin(shown: SweepDisplay, number: number): SweepTrial[] {
  const trials = Array.from({ length: number }, (_, index) => planned(index + 1));
  const steps = Object.fromEntries(trials.map(({ trial }) => [trial, 100]));
  shown.onEvent({ kind: "planned", name: "sigma", directory: `${process.cwd()}/sweeps/x`, workers: 2, trials, steps });
  return trials;
}

test("in a file: what will be trained, then a line every half minute with rate and time left", () => {
  const { shown, lines } = display("file");
  const [first, second] = begin(shown, 2) as [SweepTrial, SweepTrial];
  expect(lines()).toEqual(["sigma: 2 trials in sweeps/x; 2 trials to train, 2 at a time"]);
  shown.onEvent({ kind: "started", trial: running(first), fromStep: 0 });
  shown.onEvent({ kind: "started", trial: running(second), fromStep: 40 });
  vi.advanceTimersByTime(29_000);
  shown.onEvent({ kind: "step", trial: first, step: 30, loss: 2 });
  shown.onEvent({ kind: "step", trial: second, step: 70, loss: 2 });
  expect(lines()).toEqual([]);
  vi.advanceTimersByTime(1000);
  // 60 steps in 30 s, and 70 + 30 of them left.
  expect(lines()).toEqual(["0 of 2 trials ended: 2 running; 2.00 steps/s, 50 s left"]);
  shown.stop();
  vi.advanceTimersByTime(90_000);
  expect(lines()).toEqual([]);
});

test("on a terminal: the trials under way, each with its own rate, the best result and the odd ones", () => {
  const { shown, lines } = display("terminal");
  const [first, second, third] = begin(shown, 3) as [SweepTrial, SweepTrial, SweepTrial];
  for (const trial of [first, second, third]) shown.onEvent({ kind: "started", trial: running(trial), fromStep: 0 });
  vi.advanceTimersByTime(10_000);
  lines();
  shown.onEvent({ kind: "step", trial: first, step: 50, loss: 1.25 });
  shown.onEvent({ kind: "ended", trial: sweepTrial({ seed: 2 }, 2.5) });
  shown.onEvent({ kind: "ended", trial: sweepTrial({ seed: 3 }, null, { result: { ...sweepTrial({}, null).result, finite: false } as SweepTrial["result"] }) });
  vi.advanceTimersByTime(500);
  expect(lines()).toEqual([
    "2 of 3 trials ended: 1 running, 2 completed; 23.8 steps/s, 2 s left",
    "  seed=1  50 of 100, 4.76/s, 11 s left, loss 1.2500",
    "  lowest loss 2.5000  seed=2",
    "  1 result not finite or degenerate",
  ]);
});

test("a screen shows twelve trials and counts the others", () => {
  const { shown, lines } = display("terminal");
  for (const trial of begin(shown, 15)) shown.onEvent({ kind: "started", trial: running(trial), fromStep: 0 });
  vi.advanceTimersByTime(500);
  const drawn = lines().slice(1);
  expect(drawn.filter((line) => /^ {2}seed=\d+ {2}0 of 100$/.test(line))).toHaveLength(12);
  expect(drawn.at(-1)).toBe("  … and 3 more");
});

test("a failure is told at once with its last lines and how to train it alone, even in a file", () => {
  const { shown, lines } = display("file");
  const [first] = begin(shown, 1) as [SweepTrial];
  shown.onEvent({ kind: "started", trial: running(first), fromStep: 0 });
  lines();
  const reason = ["PYTHON_RAISED: it broke", ...Array.from({ length: 9 }, (_, line) => `line ${line}`)].join("\n");
  shown.onEvent({ kind: "ended", trial: { ...first, status: "failed", reason, run: `${process.cwd()}/sweeps/x/runs/a b` } });
  expect(lines()).toEqual([
    `Failed: seed=1 (${first.trial})`,
    "  PYTHON_RAISED: it broke",
    ...[3, 4, 5, 6, 7, 8].map((line) => `  line ${line}`),
    "  Alone:  bh-bridge train -c 'sweeps/x/runs/a b'",
  ]);
});

test("a trial that was lost goes on: its steps count as left again", () => {
  const { shown, lines } = display("file");
  const [first] = begin(shown, 1) as [SweepTrial];
  shown.onEvent({ kind: "started", trial: running(first), fromStep: 0 });
  vi.advanceTimersByTime(15_000);
  shown.onEvent({ kind: "step", trial: first, step: 60, loss: 2 });
  lines();
  shown.onEvent({ kind: "ended", trial: { ...first, status: "lost", reason: "its process was killed" } });
  expect(lines()).toEqual([`Lost, will resume: seed=1 (${first.trial})`, "  its process was killed"]);
  shown.onEvent({ kind: "started", trial: running(first), fromStep: 50 });
  vi.advanceTimersByTime(15_000);
  // 60 steps in 30 s, and 50 left.
  expect(lines()).toEqual(["0 of 1 trial ended: 1 running; 2.00 steps/s, 25 s left"]);
});

test("with nothing left it says so and is still, and --quiet says nothing", () => {
  const { shown, lines } = display("file");
  shown.onEvent({ kind: "planned", name: "sigma", directory: process.cwd(), workers: 2, trials: [sweepTrial({ seed: 1 }, 2)], steps: {} });
  expect(lines()).toEqual(["sigma: 1 trial in .; no trials left to train"]);
  vi.advanceTimersByTime(60_000);
  expect(lines()).toEqual([]);
  const quiet = display("terminal", true);
  begin(quiet.shown, 2);
  vi.advanceTimersByTime(60_000);
  expect(quiet.lines()).toEqual([]);
});

test("trials whose labels are longer than half a line keep apart", () => {
  const { shown, lines } = display("terminal");
  const trials = [1, 2].map((seed) =>
    sweepTrial({ "training.learning_rate": seed / 7, "training.per_device_train_batch_size": seed * 16, seed }, null, { trial: `${seed}aaaabbbbccccddd` }),
  );
  const steps = Object.fromEntries(trials.map(({ trial }) => [trial, 100]));
  shown.onEvent({ kind: "planned", name: "sigma", directory: process.cwd(), workers: 2, trials, steps });
  for (const trial of trials) shown.onEvent({ kind: "started", trial: running(trial), fromStep: 0 });
  lines();
  vi.advanceTimersByTime(500);
  const labels = lines()
    .slice(1, 3)
    .map((line) => line.trim().split("  ")[0]);
  expect(labels).toEqual(
    ["1aaaabbb learning_rate=0.142857142857…", "2aaaabbb learning_rate=0.285714285714…"].map((label) => expect.stringContaining(label.slice(0, 30))),
  );
  shown.stop();
});
