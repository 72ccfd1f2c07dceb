// What a task of a job array runs: it trains its share of the trials side by side, and writes what becomes of them into a journal of its own.
//
//     node array-worker.js FOLDER TASK

import { hostname } from "node:os";
import { join, relative } from "node:path";
import { resolvePython } from "../../../python/require-packages.js";
import { trialOfRun } from "../../../runs/run-config.js";
import { noLockHolders, scanRuns } from "../../../runs/scan-runs.js";
import { hasEnded, Ledger, lineOfEnd } from "../../ledger.js";
import type { TrialTask } from "../../pool/trial-task.js";
import type { JobListener } from "../executor.js";
import { LocalExecutor } from "../local/local-executor.js";
import { requeue, squeue } from "./slurm-commands.js";
import { journalName, Submission } from "./submission.js";

const [folder = "", number = ""] = process.argv.slice(2);
const stop = new AbortController();
process.on("SIGUSR2", () => stop.abort()); // its time is nearly over
process.on("SIGTERM", () => stop.abort()); // requeued, preempted, or cancelled
process.on("SIGINT", () => stop.abort());

/** SLURM gives a task 90 seconds after its notice, some of which its trials take for their checkpoints. */
const patience = { patienceMs: 60_000 };
const task = Number(number);
const submission = Submission.at(folder);
const { SLURM_ARRAY_JOB_ID: job } = process.env;
if (job !== undefined && submission.job === undefined) submission.submitted(job); // somebody has submitted the script by hand
const { python: path, directory, workers, failFast, tasks } = submission.tasks;
const mine = tasks[task - 1];
if (mine === undefined) throw new Error(`${folder} has no task ${number}: it has ${tasks.length}`);
using journal = new Ledger(folder, journalName(task));
const left = await tasksLeft(mine);
const listener: JobListener = {
  onStart: ({ trial }, run, _fromStep, worker) =>
    journal.append({ trial, status: "running", run: relative(directory, run), worker: { ...worker, host: hostname() } }),
  onStep: () => undefined,
  onEnd: ({ trial, run }, end) => journal.append({ trial, run: run === null ? null : relative(directory, run), ...lineOfEnd(end) }),
};
const executor = new LocalExecutor(await resolvePython({ python: path }));
const machine = await executor.machine(left.every(({ config }) => config.device === "cpu"));
await executor.train({ directory, name: "", tasks: left, machine, workers, listener, signal: stop.signal, failFast });
if (job !== undefined && stop.signal.aborted && (await isRunning(job))) await requeue(job, task, patience);

/**
 * Whether SLURM takes this task for running: it cancels and requeues by itself only what it has ended before its SIGTERM. What is told first (its time is nearly
 * over, or it is preempted on a partition with a time of grace) would count as completed, and never come back.
 */
async function isRunning(array: string): Promise<boolean> {
  return (await squeue(patience)).some((queued) => queued.job === array && queued.task === task && queued.state === "RUNNING");
}

/** What has not ended, in its order; what an earlier start of this task has begun is gone on with. */
async function tasksLeft(given: readonly TrialTask[]): Promise<TrialTask[]> {
  const found = new Map<string, string>();
  const [first] = given;
  for (const { manifest, directory: run } of first ? await scanRuns(first.out, noLockHolders) : []) {
    const trial = manifest && trialOfRun(manifest);
    if (trial !== undefined) found.set(trial, run);
  }
  return given.flatMap((each) => {
    const line = journal.of(each.trial);
    if (line && hasEnded(line.status)) return [];
    const begun = line?.run ? join(directory, line.run) : (each.run ?? found.get(each.trial) ?? null);
    return [{ ...each, run: begun }];
  });
}
