import { extname, join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processesOf } from "../../../config/engine-schema.js";
import { BhBridgeError } from "../../../errors.js";
import type { UsablePython } from "../../../python/require-packages.js";
import { lastEvent } from "../../../runs/read-events.js";
import { shellQuote } from "../../../text/escaping.js";
import type { LedgerLine } from "../../ledger.js";
import type { TrialEnd, TrialTask } from "../../pool/trial-task.js";
import type { Executor, JobListener, Machine, TrialJob } from "../executor.js";
import { asksForGpus, batchScript, sbatchOptions } from "./batch-script.js";
import { type QueuedTask, restartMs, sbatch, squeue } from "./slurm-commands.js";
import { Submission } from "./submission.js";

/** Options of SLURM. */
export interface SlurmOptions {
  /** Options of sbatch, each `KEY=VALUE` (`partition=short`, `time=02:00:00`). */
  sbatchOptions?: readonly string[] | undefined;
  jobs?: number | undefined;
  /** Write the script without submitting it. */
  emitOnly?: boolean | undefined;
  /** Submit and return; the same call again follows the trials. */
  detach?: boolean | undefined;
}

const extension = extname(import.meta.url);
const workerFile = fileURLToPath(new URL(`./array-worker${extension}`, import.meta.url));
/** Default trials in parallel per task: a share of a node that any cluster has. */
const defaultWorkers = 4;
/** Default trials per worker: a task that trains several one after another starts Python only once. */
const defaultRounds = 4;
const maxTasks = 256;
const pollMs = 2000;

/** Trains with SLURM: each task of a job array trains its share of the trials. */
export class SlurmExecutor implements Executor {
  readonly name = "slurm";
  readonly isHere = false;
  readonly stopping = "SLURM continues the trials; run the same command to follow them, or `bh-bridge sweep cancel` to end them";
  parting: string | undefined;
  readonly #python: UsablePython;
  readonly #options: SlurmOptions;

  /** @throws {BhBridgeError} `USAGE` for an invalid option. */
  constructor(python: UsablePython, options: SlurmOptions) {
    sbatchOptions(options.sbatchOptions ?? []);
    this.#python = python;
    this.#options = options;
  }

  async machine(onCpuAlone: boolean): Promise<Machine> {
    const hasGpus = !onCpuAlone && asksForGpus(this.#options.sbatchOptions ?? []);
    return { device: hasGpus ? "cuda" : "cpu", gpus: hasGpus ? 1 : 0, cores: defaultWorkers };
  }

  roundSize(workers: number): number {
    for (const [option, isSet] of Object.entries({ detach: this.#options.detach, "emit-only": this.#options.emitOnly })) {
      if (!isSet) continue;
      throw new BhBridgeError("USAGE", `--${option}: a sequential experiment is submitted pair by pair, after the results of earlier pairs. Omit this option`);
    }
    return workers * (this.#options.jobs ?? 1);
  }

  async train(job: TrialJob): Promise<void> {
    const open = this.#options.emitOnly ? [] : Submission.openIn(job.directory);
    const theirs = new Set(open.flatMap(({ trials }) => trials.flat()));
    const left = job.tasks.filter(({ trial }) => !theirs.has(trial));
    if (left.length > 0 && !job.signal.aborted) {
      const submission = this.#write(job, left);
      if (this.#options.emitOnly) {
        this.parting = `Written:  ${submission.script}\nSubmit it with:  sbatch ${shellQuote(submission.script)}`;
        return;
      }
      submission.submitted(await sbatch(submission.script, { patienceMs: restartMs, signal: job.signal }));
      open.push(submission);
    }
    if (this.#options.detach && open.length > 0) {
      this.parting = `${open.map((each) => `SLURM's job ${each.job}`).join(", ")} trains them. Show progress:  bh-bridge sweep status ${shellQuote(job.directory)}`;
      return;
    }
    await Promise.all(open.map((submission) => follow(submission, job)));
  }

  #write({ directory, name, workers, failFast }: TrialJob, tasks: readonly TrialTask[]): Submission {
    const { jobs = Math.min(maxTasks, Math.ceil(tasks.length / (workers * defaultRounds))) } = this.#options;
    const used = Math.min(jobs, tasks.length);
    const shares = Array.from({ length: used }, (_, index) =>
      tasks.slice(Math.floor((index * tasks.length) / used), Math.floor(((index + 1) * tasks.length) / used)),
    );
    const cores = workers * Math.max(1, ...tasks.map(({ config }) => (config.threads ?? 1) * processesOf(config)));
    const command = [process.execPath, workerFile];
    const options = this.#options.sbatchOptions ?? [];
    return Submission.create({ python: this.#python.path, directory, workers, failFast, tasks: shares }, (folder) =>
      batchScript({ name, folder, tasks: shares.length, cores, options, command }),
    );
  }
}

/** Report the trials of a submission until its job ends; on abort, leave the job to SLURM. */
async function follow(submission: Submission, { directory, tasks, waiting = [], listener, signal }: TrialJob): Promise<void> {
  const its = new Set(submission.trials.flat());
  const followed = [...tasks, ...waiting].filter(({ trial }) => its.has(trial)).map((task) => followTrial(directory, task, listener));
  const update = () => {
    const journal = submission.journal();
    for (const each of followed) each.update(journal);
  };
  while (!signal.aborted) {
    const queued = await queueOf(signal, update);
    update();
    if (queued && !queued.some(({ job }) => job === submission.job)) {
      for (const each of followed) each.conclude(`SLURM's job ${submission.job} ended`);
      return submission.close();
    }
    await after(pollMs, undefined, { signal }).catch(() => undefined); // aborted
  }
}

/** The queued tasks; undefined on abort. */
async function queueOf(signal: AbortSignal, onWait: () => void): Promise<QueuedTask[] | undefined> {
  try {
    return await squeue({ patienceMs: restartMs, signal, onWait });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Reports each change of a trial's journal once; `conclude` reports its end with the job. */
function followTrial(directory: string, task: TrialTask, listener: JobListener) {
  let last: LedgerLine | undefined;
  let lastStep = -1;
  const reportLine = (line: LedgerLine): void => {
    last = line;
    task.run = line.run === null ? null : join(directory, line.run);
    const { pid = 0, cores = null, host } = line.worker ?? {};
    if (line.status === "running" && task.run !== null) listener.onStart(task, task.run, 0, { pid, cores, ...(host !== undefined && { host }) });
    else listener.onEnd(task, endOf(line, task.run ?? ""));
  };
  const reportStep = (): void => {
    const event = task.run === null ? undefined : lastEvent(task.run, "step_end");
    if (event === undefined || event.global_step === lastStep) return;
    lastStep = event.global_step;
    listener.onStep(task, event.global_step, event.loss);
  };
  return {
    update(journal: ReadonlyMap<string, LedgerLine>): void {
      const line = journal.get(task.trial);
      if (line && line.at !== last?.at) reportLine(line);
      if (last?.status === "running") reportStep();
    },
    conclude(reason: string): void {
      if (last === undefined) listener.onEnd(task, { kind: "stopped" });
      else if (last.status === "running") listener.onEnd(task, { kind: "died", reason });
    },
  };
}

function endOf({ status, result, reason = "" }: LedgerLine, run: string): TrialEnd {
  if (status === "completed" && result) return { kind: "completed", run, result };
  if (status === "pruned" && result) return { kind: "pruned", run, result, reason };
  if (status === "failed") return { kind: "failed", reason, ...(result && { result }) };
  return status === "lost" ? { kind: "died", reason } : { kind: "stopped" };
}
