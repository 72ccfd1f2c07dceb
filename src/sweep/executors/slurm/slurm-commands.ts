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

const timeoutMs = 60_000;

/** Submit a script. @returns the number of its job. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with what sbatch said. */
export async function sbatch(script: string): Promise<string> {
  const said = await askSlurm("sbatch", ["--parsable", script]);
  const [job = ""] = said.trim().split(";"); // a cluster's name follows where there are several
  if (/^\d+$/.test(job)) return job;
  throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `sbatch gave no number of a job for ${script}: ${said.trim() || "nothing"}`);
}

/** The user's array tasks that wait or run. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function squeue(): Promise<QueuedTask[]> {
  const said = await askSlurm("squeue", ["--me", "--array", "--noheader", "--format=%F|%K|%T|%r|%N"]);
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
export async function requeue(job: string, task: number): Promise<void> {
  await askSlurm("scontrol", ["requeue", `${job}_${task}`]);
}

/** Run a command of SLURM. @returns what it printed. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` where it is not there or fails, with what it said. */
export async function askSlurm(program: string, args: readonly string[]): Promise<string> {
  const { failed, code, stdout, stderr, timedOut } = await execa(program, args, { reject: false, stdin: "ignore", timeout: timeoutMs });
  if (!failed) return stdout;
  const what =
    code === "ENOENT"
      ? `${program} is not on the PATH: log in where SLURM is, or say --emit-only and submit the script there`
      : `${program} ${timedOut ? "did not answer in a minute" : `failed: ${stderr.trim() || stdout.trim() || "it said nothing"}`}`;
  throw new BhBridgeError("EXECUTOR_UNAVAILABLE", what);
}
