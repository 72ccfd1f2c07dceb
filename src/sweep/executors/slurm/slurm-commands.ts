import { setTimeout as after } from "node:timers/promises";
import { execa } from "execa";
import { BhBridgeError } from "../../../errors.js";

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
