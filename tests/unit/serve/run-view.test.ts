import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { recordedRun, writeAnalysis } from "../../../src/runs/recorded-run.js";
import { Catalogue } from "../../../src/serve/catalogue.js";
import { seriesDocumentSchema } from "../../../src/serve/documents.js";
import { RunView } from "../../../src/serve/run-view.js";
import { writeRunOfStates } from "../figures/run-of-states.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, writeRun, writtenLoss } from "./written-run.js";

const all = { points: 2000, from: 0, to: Number.POSITIVE_INFINITY };

/** The lines of a run by their names, and what is said of them. */
async function linesOf(directory: string, asked = all) {
  const [run] = (await new Catalogue([join(directory, "..")]).shelf()).runs;
  if (!run) throw new Error("no run");
  const document = seriesDocumentSchema.parse(await new RunView(directory).series(run, asked));
  return { ...document, lines: Object.fromEntries(document.series.map(({ name, x, y }) => [name, { x, y }])) };
}

let seq = 1000;
const log = (directory: string, event: { type: string; mono: number; global_step: number } & Record<string, unknown>) =>
  appendFileSync(join(directory, "events.jsonl"), `${JSON.stringify({ seq: seq++, wall: 1e9, epoch: 0, ...event })}\n`);
const newRun = (steps = 60) => writeRun({ folder: temporaryDirectory(), id: "run", seed: 1, steps });

test("what was logged has a line for each number that the page knows, at its steps", async () => {
  const directory = newRun(20);
  log(directory, { type: "log", mono: 2.1, global_step: 10, logs: { loss: 3, learning_rate: 0.1, grad_norm: 5, epoch: 0.1, odd: 1 } });
  log(directory, { type: "log", mono: 2.2, global_step: 20, logs: { loss: "NaN", learning_rate: 0.05 } });
  log(directory, { type: "evaluate", mono: 2.3, global_step: 20, metrics: { eval_loss: 2.5, eval_runtime: 1 } });
  const { lines } = await linesOf(directory);
  expect(lines["mean loss"]).toEqual({ x: [10, 20], y: [3, null] });
  expect(lines["learning rate"]).toEqual({ x: [10, 20], y: [0.1, 0.05] });
  expect(lines["gradient norm"]).toEqual({ x: [10], y: [5] });
  expect(lines["held-out loss"]).toEqual({ x: [20], y: [2.5] });
  expect(Object.keys(lines)).not.toContain("odd");
});

test("the rate is that of the training: the days between a stop and its resumption slow nothing", async () => {
  const directory = newRun(30); // a step takes a tenth of a second
  log(directory, { type: "resumed", mono: 90_000, global_step: 30, recomputed_to: 30 });
  for (let step = 31; step <= 60; step++) log(directory, { type: "step_end", mono: 90_000 + (step - 30) / 10, global_step: step, loss: 2 });
  const { lines, clock } = await linesOf(directory);
  expect(lines["rate"]?.y.length).toBeGreaterThanOrEqual(4);
  for (const rate of lines["rate"]?.y ?? []) expect(rate).toBeCloseTo(10, 5);
  expect(clock?.seconds.at(-1)).toBeCloseTo(29 / 10 + 1 / 10 + 30 / 10, 9);
});

test("an analysis of the run is shown as it was written, and the displacement of the centroid beside it", async () => {
  const directory = newRun();
  const measured = await linesOf(directory);
  const history = await openHistory(directory);
  const analysis = await analyze(history, { workers: 0, run: recordedRun(directory) });
  history.close();
  const C = analysis.timeline?.C.map(() => 7) ?? [];
  writeAnalysis(directory, { ...analysis, ...(analysis.timeline && { timeline: { ...analysis.timeline, C } }) });
  const { lines, notes } = await linesOf(directory);
  expect(lines["C"]?.y).toEqual(C);
  expect(notes).toEqual([]);
  expect([lines["meanStep"]?.x[0], lines["meanStep"]?.x.length, lines["P"]?.x.length]).toEqual([1, 60, 61]);
  expect(lines["displacement"]).toEqual(measured.lines["displacement"]);
  for (const name of ["P", "unique", "meanRadius", "centroidNorm", "still"]) {
    for (const [at, value] of (measured.lines[name]?.y ?? []).filter((each) => each !== null).entries()) {
      expect([name, at, lines[name]?.y[at]]).toEqual([name, at, expect.closeTo(value ?? 0, 9)]);
    }
  }
});

test("lines of states stand at the steps that were recorded", async () => {
  const directory = writeRunOfStates({
    states: [
      [[1], [2]],
      [[1], [1]],
      [[2], [2]],
    ],
    steps: [0, 10, 20],
  });
  const { lines } = await linesOf(directory);
  expect(lines["C"]).toEqual({ x: [0, 10, 20], y: [0, 1, 1] });
  expect(lines["displacement"]).toEqual({ x: [0, 10, 20], y: [0, 0.5, 0.5] });
});

test("a run without a history has the lines of its log, and says what it lacks", async () => {
  const directory = newRun();
  rmSync(join(directory, "history.safetensors"));
  const { lines, notes } = await linesOf(directory);
  expect(Object.keys(lines)).toEqual(["loss", "rate"]);
  expect(notes).toHaveLength(1);
});

test("between two steps only what lies there is told, and a long line keeps its extremes", async () => {
  const directory = newRun(600);
  const { lines } = await linesOf(directory, { points: 20, from: 100, to: 500 });
  const { x = [], y = [] } = lines["loss"] ?? {};
  expect(x.length).toBeLessThanOrEqual(40);
  expect([x[0], x.at(-1)]).toEqual([100, 500]);
  const losses = Array.from({ length: 401 }, (_, at) => writtenLoss(100 + at, 1));
  expect(Math.min(...y.map((value) => value ?? 9))).toBe(Math.min(...losses));
  expect(Math.max(...y.map((value) => value ?? 0))).toBe(Math.max(...losses));
});

test("at each of 200 steps of 2,000, the values are those of the recording and of an analysis", async () => {
  const directory = newRun(2000);
  const history = await openHistory(directory);
  const { timeline, geometry } = await analyze(history, { workers: 0, run: recordedRun(directory) });
  history.close();
  const [run] = (await new Catalogue([join(directory, "..")]).shelf()).runs;
  if (!run || !timeline || !geometry) throw new Error("no run");
  const view = new RunView(directory);
  const whole = await view.series(run, { points: 2000, smooth: "auto" });
  expect(whole.series.filter(({ name }) => name === "loss" || name === "P").map(({ isReduced }) => isReduced)).toEqual([undefined, true]);
  // The mean without the bias of its beginning over a hundredth of the losses.
  const weight = 1 - 1 / 20;
  for (let step = 7; step <= 2000; step += 10) {
    const { series } = await view.series(run, { points: 10, smooth: "auto", step });
    const at = (name: string) => series.find((each) => each.name === name);
    expect([at("loss")?.x, at("loss")?.y]).toEqual([[step], [writtenLoss(step, 1)]]);
    expect([at("P")?.x, at("P")?.y, at("unique")?.y]).toEqual([[step], [timeline.P[step]], [timeline.unique[step]]]);
    expect(at("P")?.smooth).toBeUndefined();
    if (at("meanRadius")?.x[0] === step) expect(at("meanRadius")?.y[0]).toBeCloseTo(geometry.meanRadius[step] ?? Number.NaN, 9);
    let [sum, norm] = [0, 0];
    for (let back = 0; back < step; back++) {
      sum += writtenLoss(step - back, 1) * weight ** back;
      norm += weight ** back;
    }
    expect(at("loss")?.smooth?.[0]).toBeCloseTo(sum / norm, 9);
  }
});

test("values at chosen steps are recorded ones, and none stands where nothing was recorded", async () => {
  const view = new RunView(newRun(30));
  expect(await view.line("loss", { points: 10, steps: [30, 4, 31] })).toEqual({ x: [4, 30], y: [4, 30].map((step) => writtenLoss(step, 1)) });
  expect(await view.line("loss", { points: 10, step: 0 })).toEqual({ x: [], y: [] });
  expect(await view.line("loss", { points: 10, step: 400 })).toEqual({ x: [30], y: [writtenLoss(30, 1)] });
});

test("one line is read by its name, and a name that the run does not have is none", async () => {
  const view = new RunView(newRun(5));
  expect(await view.line("loss", { points: 100 })).toEqual({ x: [1, 2, 3, 4, 5], y: [1, 2, 3, 4, 5].map((step) => writtenLoss(step, 1)) });
  expect((await view.line("unique", { points: 100 }))?.x).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await view.line("beauty", { points: 100 })).toBeUndefined();
});

test("the black holes of a state are those of its rows, and its step is told", async () => {
  const view = new RunView(newRun());
  expect(await view.census(60)).toMatchObject({ step: 60, C: 1, P: deadRows.length, holes: [{ population: deadRows.length, tokens: deadRows }] });
  await expect(view.census(61)).rejects.toMatchObject({ code: "USAGE" });
});

test("the basis of a path that is long enough stays, whatever is recorded later", async () => {
  const directory = newRun(150);
  const view = new RunView(directory);
  const basis = await view.basis();
  writeFileSync(join(directory, "history.safetensors"), "gone");
  expect(await view.basis()).toBe(basis);
});
