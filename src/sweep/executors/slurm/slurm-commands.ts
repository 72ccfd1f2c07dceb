import { setTimeout as after } from "node:timers/promises";
import { execa } from "execa";
import { BhBridgeError } from "../../../errors.js";
import type { LedgerLine } from "../../ledger.js";
import type { DirectoryJobs, EarlierJobs, JobPart } from "../executor.js";
import { Submission } from "./submission.js";

/** A waiting or running task of a job array. */
export interface QueuedTask {
  /** Number of the array. */
  job: string;
  /** Index of the task, from 1. */
  task: number;
  /** SLURM's own name: `PENDING`, `RUNNING`, `COMPLETING`, … */
  state: string;
  /** Why it waits. */
  reason: string;
  /** Where it runs; empty while it waits. */
  nodes: string;
}

/** How long to wait for an unreachable controller. */
interface SlurmPatience {
  /** From the first failure (default: no retry). */
  patienceMs?: number;
  signal?: AbortSignal;
  /** Called before each wait. */
  onWait?: () => void;
}

/** A controller that restarts or fails over answers again within a minute or two. */
export const restartMs = 180_000;
const firstWaitMs = 1000;
const maxWaitMs = 10_000;
const timeoutMs = 60_000;

/** Messages of SLURM and the system for an unreachable controller or munge, and our own for a hanging command. */
const outage =
  /unable to contact|connection|socket|timed out|zero bytes|transport endpoint|in standby|unreachable|munge|authentication|did not answer in a minute/i;

/** Submit a script. @returns the job number. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with the output of sbatch. */
export async function sbatch(script: string, patience: SlurmPatience = {}): Promise<string> {
  const submit = () => askSlurm("sbatch", ["--parsable", script]);
  let output: string;
  try {
    output = await submit();
  } catch (error) {
    if (!(error instanceof BhBridgeError) || !outage.test(error.message) || !patience.patienceMs) throw error;
    // The controller may have accepted the script without answering. A second job would train the same trials.
    const taken = await jobOf(script, patience);
    if (taken !== undefined) return taken;
    output = await submit();
  }
  const [job = ""] = output.trim().split(";"); // a cluster name may follow
  if (/^\d+$/.test(job)) return job;
  throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `sbatch printed no job number for ${script}: ${output.trim() || "nothing"}`);
}

async function jobOf(script: string, patience: SlurmPatience): Promise<string | undefined> {
  const output = await askSlurm("squeue", ["--me", "--noheader", "--format=%F|%o"], patience);
  const line = output.split("\n").find((each) => each.trim().endsWith(`|${script}`));
  return line?.trim().split("|")[0];
}

/** The user's waiting and running array tasks. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function squeue(patience: SlurmPatience = {}): Promise<QueuedTask[]> {
  const output = await askSlurm("squeue", ["--me", "--array", "--noheader", "--format=%F|%K|%T|%r|%N"], patience);
  return output.split("\n").flatMap((line) => {
    const [job = "", task = "", state = "", reason = "", nodes = ""] = line.trim().split("|");
    return /^\d+$/.test(job) && /^\d+$/.test(task) ? [{ job, task: Number(task), state, reason, nodes }] : [];
  });
}

/** Cancel a job array. SLURM asks its tasks to end, and kills them after its `KillWait`. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function scancel(job: string): Promise<void> {
  await askSlurm("scancel", [job]);
}

/** End a task and let it start again. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function requeue(job: string, task: number, patience: SlurmPatience = {}): Promise<void> {
  await askSlurm("scontrol", ["requeue", `${job}_${task}`], patience);
}

/**
 * Run a SLURM command. @returns its stdout.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with the output of a missing or failing command; for an unreachable controller, after the patience or on
 * abort.
 */
export async function askSlurm(program: string, args: readonly string[], { patienceMs = 0, signal, onWait }: SlurmPatience = {}): Promise<string> {
  let failedAt: number | undefined;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, maxWaitMs)) {
    const { failed, code, stdout, stderr, timedOut } = await execa(program, args, { reject: false, stdin: "ignore", timeout: timeoutMs });
    if (!failed) return stdout;
    const what =
      code === "ENOENT"
        ? `${program} is not on the PATH: use a machine with SLURM, or write the script with --emit-only and submit it there`
        : `${program} ${timedOut ? "did not answer in a minute" : `failed: ${stderr.trim() || stdout.trim() || "no output"}`}`;
    if (!outage.test(what) || patienceMs === 0) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", what);
    failedAt ??= performance.now();
    const leftMs = failedAt + patienceMs - performance.now();
    if (leftMs <= 0 || signal?.aborted) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `${what}${whatIsLeft(performance.now() - failedAt)}`);
    onWait?.();
    await after(Math.min(waitMs, leftMs), undefined, { signal }).catch(() => undefined); // aborted
  }
}

function whatIsLeft(waitedMs: number): string {
  return `. Retried for ${Math.round(waitedMs / 1000)} s. SLURM's jobs continue without this command: run it again when SLURM answers`;
}

/**
 * Copy the journals of SLURM's tasks into the ledger of a directory, and close the submissions whose job has ended. Idempotent.
 * @throws {BhBridgeError} `RUN_LOCKED` naming the job, `EXECUTOR_UNAVAILABLE` if it is unknown whether a job has ended.
 */
export async function settleSubmissions({ directory, ledger, executor, signal }: EarlierJobs): Promise<void> {
  const open = Submission.openIn(directory);
  if (open.length === 0) return;
  const queued = await squeue({ patienceMs: restartMs, ...(signal && { signal }) }); // before reading the journals: a job that has ended by now has written all of its lines
  for (const submission of open) {
    for (const { at: _, ...line } of submission.journal().values()) if (!isKnown(ledger.of(line.trial), line)) ledger.append(line);
    const isUnderWay = queued.some(({ job }) => job === submission.job);
    if (isUnderWay && executor !== "slurm") {
      throw new BhBridgeError(
        "RUN_LOCKED",
        `SLURM's job ${submission.job} trains trials of ${directory}: wait for it, or end it with: bh-bridge sweep cancel ${directory}`,
      );
    }
    if (isUnderWay) continue;
    for (const { trial, status, run } of submission.journal().values()) {
      if (status === "running") ledger.append({ trial, run, status: "lost", reason: `SLURM's job ${submission.job} ended` });
    }
    submission.close();
  }
}

function isKnown(known: LedgerLine | undefined, { status, run }: Omit<LedgerLine, "at">): boolean {
  return known !== undefined && known.run === run && (known.status === status || (known.status === "lost" && status === "running"));
}

/** The submissions of a directory, from any machine that sees it. The state of their tasks is `UNKNOWN` if SLURM does not answer. */
export async function viewSubmissions(directory: string): Promise<DirectoryJobs> {
  const open = Submission.openIn(directory);
  if (open.length === 0) return { jobs: [], lines: new Map(), underWay: new Set() };
  const queued = await queuedTasks();
  const parts = open.flatMap((submission) => {
    const { job = "" } = submission;
    return submission.trials.flatMap((trials, index) => {
      const found = queued?.find((each) => each.job === job && each.task === index + 1);
      if (queued && !found) return [];
      const { state = "UNKNOWN", reason = "", nodes = "" } = found ?? {};
      const part: JobPart = {
        ...{ job, task: index + 1, state, trials: trials.length },
        reason: state === "PENDING" && reason !== "" ? reason : null,
        nodes: nodes === "" ? null : nodes,
      };
      return [{ part, trials }];
    });
  });
  return {
    jobs: parts.map(({ part }) => part),
    lines: new Map(open.flatMap((submission) => [...submission.journal()])),
    underWay: new Set(parts.flatMap(({ trials }) => trials)),
  };
}

async function queuedTasks(): Promise<QueuedTask[] | undefined> {
  try {
    return await squeue();
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "EXECUTOR_UNAVAILABLE") return undefined;
    throw error;
  }
}

/** End the SLURM jobs of a directory, from any machine with SLURM's commands. @returns their numbers. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function cancelSubmissions(directory: string): Promise<string[]> {
  const open = Submission.openIn(directory).flatMap(({ job }) => job ?? []);
  if (open.length === 0) return [];
  const queued = await squeue();
  const jobs = open.filter((job) => queued.some((each) => each.job === job));
  for (const job of jobs) await scancel(job);
  return jobs;
}
