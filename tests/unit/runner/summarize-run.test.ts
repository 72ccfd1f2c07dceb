import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { concludeRun, summarizeRun } from "../../../src/runner/summarize-run.js";
import { readAnalysis } from "../../../src/runs/recorded-run.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, stateOf, writeRun, writtenLoss, writtenRows } from "../serve/written-run.js";

type Status = "running" | "completed" | "stopped";

/** The summary of a written run, with events at the end of its log. */
async function summary(status: Status, events: readonly object[] = [], isRunning = false) {
  const directory = writeRun({ folder: temporaryDirectory(), id: "a", status });
  const lines = events.map((event, index) => JSON.stringify({ seq: 61 + index, mono: 6, wall: 1e9 + 6, global_step: 60, epoch: 0.1, ...event }));
  appendFileSync(join(directory, "events.jsonl"), lines.map((line) => `${line}\n`).join(""));
  return summarizeRun(directory, readRunConfig(directory), readRunManifest(directory), { isRunning });
}

/** Mean row of a state, in float64. */
function meanRow(state: number): number[] {
  const words = Uint32Array.from(new Uint16Array(stateOf(state, 60, 8).buffer), (word) => word * 65_536);
  const values = new Float32Array(words.buffer);
  return Array.from(
    { length: 8 },
    (_, dim) => Array.from({ length: writtenRows }, (_, row) => values[row * 8 + dim] ?? 0).reduce((a, b) => a + b) / writtenRows,
  );
}

test("steps, census, centroid and displacement are those of the recorded states", async () => {
  const result = await summary("completed");
  expect(result).toMatchObject({
    ...{ status: "completed", steps: { planned: 60, done: 60 }, seconds: 6, stepsPerSecond: 10, finite: true, usage: null },
    census: { rows: writtenRows, unique: writtenRows - deadRows.length + 1, C: 1, P: deadRows.length, populations: [deadRows.length] },
  });
  const [first, last] = [meanRow(0), meanRow(60)];
  expect(result.displacement.float64).toBeCloseTo(Math.hypot(...last.map((value, dim) => value - (first[dim] ?? 0))), 12);
  expect(result.centroidNorm).toEqual([
    [0, expect.closeTo(Math.hypot(...first), 6)],
    [60, expect.closeTo(Math.hypot(...last), 6)],
  ]);
});

test.each<[Status, isRunning: boolean, told: string]>([
  ["running", true, "running"],
  ["running", false, "interrupted"],
  ["stopped", false, "stopped"],
])("a run that says %s, and is written now: %s, is %s", async (status, isRunning, told) => {
  expect((await summary(status, [], isRunning)).status).toBe(told);
});

test("the seconds of a run that goes on are those between its events", async () => {
  const { seconds, stepsPerSecond } = await summary("running", [], true);
  expect([seconds, stepsPerSecond]).toEqual([expect.closeTo(6, 6), expect.closeTo(10, 5)]);
});

test("a run that ended before its first log has the losses of its steps", async () => {
  expect((await summary("completed")).loss).toEqual(Array.from({ length: 60 }, (_, index) => [index + 1, writtenLoss(index + 1, 0)]));
});

test("losses are the logged ones, null where they are not finite", async () => {
  const logs = [
    { type: "log", logs: { loss: 2.5 } },
    { type: "log", logs: { loss: "NaN" } },
    { type: "log", logs: { grad_norm: 1 } },
  ];
  expect((await summary("completed", logs)).loss).toEqual([
    [60, 2.5],
    [60, null],
    [60, null],
  ]);
});

test("cores are averaged by the time that each report covers, and memory is the peak of all", async () => {
  const usage = (seconds: number, cpu_cores: number, peak_bytes: number, gpu_peak_bytes: number | null) => ({
    type: "usage",
    seconds,
    cpu_cores,
    peak_bytes,
    gpu_peak_bytes,
  });
  expect((await summary("completed", [usage(30, 2, 500, null), usage(10, 1, 900, null)])).usage).toEqual({
    cpuCores: 1.75,
    peakBytes: 900,
    gpuPeakBytes: null,
  });
  expect((await summary("completed", [usage(1, 1, 5, 70), usage(1, 1, 5, 60)])).usage?.gpuPeakBytes).toBe(70);
  expect((await summary("completed", [usage(0, 1, 5, null)])).usage).toBeNull();
});

const newRun = () => writeRun({ folder: temporaryDirectory(), id: "run" });

test("a run gets its analysis and its checksums, and its result is what its files say", async () => {
  const run = newRun();
  const config = readRunConfig(run);
  const result = await concludeRun(run, config, { workers: 0 });
  expect(result).toEqual(await summarizeRun(run, config, readRunManifest(run)));
  const analysis = readAnalysis(run);
  expect([analysis?.states, analysis?.finalCensus.P]).toEqual([61, deadRows.length]);
  expect(existsSync(join(run, "SHA256SUMS"))).toBe(true);
});

test("an analysis that is interrupted leaves the run as it was, and can be made later", async () => {
  const run = newRun();
  const config = readRunConfig(run);
  await expect(concludeRun(run, config, { workers: 0, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  expect(readAnalysis(run)).toBeUndefined();
  expect((await concludeRun(run, config, { workers: 0 })).census.C).toBe(1);
});
