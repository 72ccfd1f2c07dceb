// Program of a task of a job array: trains its share of the trials in parallel and records their progress in its own journal.
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

/** SLURM ends a task 90 seconds after its notice; the checkpoints take some of that time. */
const patience = { patienceMs: 60_000 };
const task = Number(number);
const submission = new Submission(folder);
const { SLURM_ARRAY_JOB_ID: job } = process.env;
if (job !== undefined && submission.job === undefined) submission.submitted(job); // the script was submitted by hand
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
 * Whether SLURM still considers this task running. SLURM requeues a task itself only after its own SIGTERM. A task that ends after an earlier notice (time
 * limit, or preemption with a grace period) would count as completed and never restart.
 */
async function isRunning(array: string): Promise<boolean> {
  return (await squeue(patience)).some((queued) => queued.job === array && queued.task === task && queued.state === "RUNNING");
}

/** The trials that have not ended, in order. Those started earlier are resumed. */
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
