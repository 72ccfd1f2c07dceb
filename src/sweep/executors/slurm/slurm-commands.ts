import { setTimeout as after } from "node:timers/promises";
import { execa } from "execa";
import { BhBridgeError } from "../../../errors.js";

/** A task of a job array that SLURM has not ended. */
export interface QueuedTask {
  /** Number of the array. */
  job: string;
  /** Which of its tasks; counts from 1. */
  task: number;
  /** SLURM's own word: `PENDING`, `RUNNING`, `COMPLETING`, … */
  state: string;
  /** Why it waits. */
  reason: string;
  /** Where it runs; empty while it waits. */
  nodes: string;
}

/** How long to wait for a controller that cannot be reached. */
interface SlurmPatience {
  /** From the first failure; default: the first failure is the last. */
  patienceMs?: number;
  /** Ends the waiting. */
  signal?: AbortSignal;
  /** Called before each wait. */
  onWait?: () => void;
}

/** A controller that is restarted, or hands over to its backup, answers again within a minute or two. */
export const restartMs = 180_000;
const firstWaitMs = 1000;
const longestWaitMs = 10_000;
const timeoutMs = 60_000;

/** What SLURM's commands say of a controller, or of munge, that they cannot reach, in the words of SLURM and of the system; and what is said here of one that hangs. */
const outage =
  /unable to contact|connection|socket|timed out|zero bytes|transport endpoint|in standby|unreachable|munge|authentication|did not answer in a minute/i;

/**
 * Submit a script.
 *
 * @returns the number of its job.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with what sbatch said.
 */
export async function sbatch(script: string, patience: SlurmPatience = {}): Promise<string> {
  const submit = () => askSlurm("sbatch", ["--parsable", script]);
  let said: string;
  try {
    said = await submit();
  } catch (error) {
    if (!(error instanceof BhBridgeError) || !outage.test(error.message) || !patience.patienceMs) throw error;
    // The controller may have taken the script without answering: a second job would train the same trials.
    const taken = await jobOf(script, patience);
    if (taken !== undefined) return taken;
    said = await submit();
  }
  const [job = ""] = said.trim().split(";"); // a cluster's name follows where there are several
  if (/^\d+$/.test(job)) return job;
  throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `sbatch gave no number of a job for ${script}: ${said.trim() || "nothing"}`);
}

/** The job that SLURM has of a script. */
async function jobOf(script: string, patience: SlurmPatience): Promise<string | undefined> {
  const said = await askSlurm("squeue", ["--me", "--noheader", "--format=%F|%o"], patience);
  const line = said.split("\n").find((each) => each.trim().endsWith(`|${script}`));
  return line?.trim().split("|")[0];
}

/** The user's array tasks that wait or run. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function squeue(patience: SlurmPatience = {}): Promise<QueuedTask[]> {
  const said = await askSlurm("squeue", ["--me", "--array", "--noheader", "--format=%F|%K|%T|%r|%N"], patience);
  return said.split("\n").flatMap((line) => {
    const [job = "", task = "", state = "", reason = "", nodes = ""] = line.trim().split("|");
    return /^\d+$/.test(job) && /^\d+$/.test(task) ? [{ job, task: Number(task), state, reason, nodes }] : [];
  });
}

/** End a job array. SLURM asks its tasks to end, and kills what is there after its `KillWait`. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function scancel(job: string): Promise<void> {
  await askSlurm("scancel", [job]);
}

/** Let a task begin again, which ends it first. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function requeue(job: string, task: number, patience: SlurmPatience = {}): Promise<void> {
  await askSlurm("scontrol", ["requeue", `${job}_${task}`], patience);
}

/**
 * Run a command of SLURM.
 *
 * @returns what it printed.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` where it is not there or fails, with what it said; where the controller cannot be reached, once the patience
 * is over or the signal has come.
 */
export async function askSlurm(program: string, args: readonly string[], { patienceMs = 0, signal, onWait }: SlurmPatience = {}): Promise<string> {
  let failedAt: number | undefined;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    const { failed, code, stdout, stderr, timedOut } = await execa(program, args, { reject: false, stdin: "ignore", timeout: timeoutMs });
    if (!failed) return stdout;
    const what =
      code === "ENOENT"
        ? `${program} is not on the PATH: log in where SLURM is, or say --emit-only and submit the script there`
        : `${program} ${timedOut ? "did not answer in a minute" : `failed: ${stderr.trim() || stdout.trim() || "it said nothing"}`}`;
    if (!outage.test(what) || patienceMs === 0) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", what);
    failedAt ??= performance.now();
    const leftMs = failedAt + patienceMs - performance.now();
    if (leftMs <= 0 || signal?.aborted) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `${what}${whatIsLeft(performance.now() - failedAt)}`);
    onWait?.();
    await after(Math.min(waitMs, leftMs), undefined, { signal }).catch(() => undefined); // told to stop
  }
}

function whatIsLeft(waitedMs: number): string {
  return `. It was asked again for ${Math.round(waitedMs / 1000)} s. Jobs that SLURM has go on without this command: give it again when SLURM answers`;
}
