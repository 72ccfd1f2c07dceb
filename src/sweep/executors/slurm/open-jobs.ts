import { BhBridgeError } from "../../../errors.js";
import type { LedgerLine } from "../../ledger.js";
import type { DirectoryJobs, EarlierJobs, JobPart } from "../executor.js";
import { type QueuedTask, restartMs, scancel, squeue } from "./slurm-commands.js";
import { Submission } from "./submission.js";

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
