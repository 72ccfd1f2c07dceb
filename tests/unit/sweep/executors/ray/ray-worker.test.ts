import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import { BhBridgeError } from "../../../../../src/errors.js";
import type { RayJob, RayReport, RayWorkerSpec } from "../../../../../src/sweep/executors/ray/ray-job.js";
import { RayWorker } from "../../../../../src/sweep/executors/ray/ray-worker.js";
import type { TrialTask } from "../../../../../src/sweep/pool/trial-task.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";
import { sweepTrial } from "../../sweep-trial.js";

// Replaces a job on a cluster (tests/e2e/ray.test.ts has a real one): records the requests of a worker and sends the reports of a test.
function workerOfJob({ loss }: { loss?: BhBridgeError } = {}) {
  const calls: string[] = [];
  let report: (report: RayReport) => void = () => undefined;
  const call =
    (name: string) =>
    async (...values: unknown[]): Promise<void> =>
      void calls.push([name, ...values.map((value) => (typeof value === "string" ? value : ((value as { kind?: string }).kind ?? "")))].join(" ").trim());
  const job = {
    loss,
    start: async (_id: string, _spec: RayWorkerSpec, listener: typeof report) => {
      report = listener;
    },
    ...{ order: call("order"), close: call("close"), fetchRun: call("fetch"), forgetRun: call("forget"), sendChunk: call("chunk") },
  };
  const worker = new RayWorker(job as unknown as RayJob, "w", {} as RayWorkerSpec);
  return { worker, calls, report: (each: RayReport) => report(each) };
}

function trial(run: string | null = null) {
  const out = temporaryDirectory();
  const heard: unknown[] = [];
  const task: TrialTask = { trial: "a", config: parseRunConfig({}), preset: "quick", corpus: "c", out, run, prune: null };
  const listener = { onStart: (...start: unknown[]) => heard.push(["start", ...start]), onStep: (...step: unknown[]) => heard.push(["step", ...step]) };
  return { training: { task, listener }, heard, out };
}

const { result } = sweepTrial({}, 1);
if (!result) throw new Error("the trial has a result");
const started: RayReport = { kind: "started", index: 0, run: "/node/runs/r1", fromStep: 3 };
const ended: RayReport = { kind: "ended", index: 0, end: { kind: "completed", run: "/node/runs/r1", result } };
const ready = (shared: boolean): RayReport => ({ kind: "ready", pid: 7, host: "node1", shared });
const afterOrder = async (calls: readonly string[]) => expect.poll(() => calls).toContain("order w train");

test("the run of a worker without shared storage is fetched before its start and its end are reported, then deleted there", async () => {
  const { worker, calls, report } = workerOfJob();
  const { training, heard, out } = trial();
  const end = worker.train([training]);
  report(ready(false));
  await afterOrder(calls);
  report(started);
  report({ kind: "step", index: 0, step: 4, loss: null });
  report(ended);
  const run = join(out, "r1");
  expect(await end).toEqual([{ kind: "completed", run, result }]);
  expect(heard).toEqual([
    ["step", 4, Number.NaN],
    ["start", run, 3],
  ]);
  expect(calls).toEqual(["order w train", `fetch w r1 ${run}`, `fetch w r1 ${run}`, "forget w r1"]);
  expect(worker.location).toEqual({ pid: 7, host: "node1", cores: null });
});

test("a worker with shared storage fetches nothing", async () => {
  const { worker, calls, report } = workerOfJob();
  const { training, out } = trial();
  const end = worker.train([training]);
  report(ready(true));
  await afterOrder(calls);
  report(started);
  report(ended);
  expect(await end).toEqual([{ kind: "completed", run: join(out, "r1"), result }]);
  expect(calls).toEqual(["order w train"]);
});

test("a worker without shared storage is sent the run that it resumes", async () => {
  const run = join(temporaryDirectory(), "r1");
  mkdirSync(run);
  writeFileSync(join(run, "run.json"), "{}");
  const { worker, calls, report } = workerOfJob();
  const end = worker.train([trial(run).training]);
  report(ready(false));
  await afterOrder(calls);
  expect(calls).toEqual(["chunk w r1", "order w train"]);
  report({ kind: "gone", reason: "killed" });
  expect(await end).toEqual([{ kind: "died", reason: "killed" }]);
});

test("a worker that ends before it is ready has died; with its job it is lost", async () => {
  const alone = workerOfJob();
  const died = alone.worker.train([trial().training]);
  alone.report({ kind: "gone", reason: "no memory" });
  expect(await died).toEqual([{ kind: "died", reason: "no memory" }]);
  expect(alone.worker.isAlive).toBe(false);
  const { worker, report } = workerOfJob({ loss: new BhBridgeError("EXECUTOR_UNAVAILABLE", "the job is gone") });
  const lost = worker.train([trial().training]);
  report({ kind: "lost", reason: "the job is gone" });
  expect(await lost).toEqual([{ kind: "lost", reason: "the job is gone" }]);
});

test("a worker that is stopped before it is ready trains nothing", async () => {
  const { worker, calls } = workerOfJob();
  const end = worker.train([trial().training]);
  worker.stop();
  expect(await end).toEqual([{ kind: "stopped" }]);
  expect(calls).toEqual(["order w stop"]);
});
