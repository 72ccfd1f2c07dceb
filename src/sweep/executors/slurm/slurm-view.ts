import { BhBridgeError } from "../../../errors.js";
import type { LedgerLine } from "../../ledger.js";
import type { ClusterJob } from "../../sweep-document.js";
import { type QueuedTask, squeue } from "./slurm-commands.js";
import { Submission } from "./submission.js";

/** What SLURM does for a directory, told without its lock. */
interface SlurmView {
  /** The tasks of its jobs that wait or run, in their order. */
  jobs: ClusterJob[];
  /** The newest line of each trial that a job was given and has begun. */
  lines: Map<string, LedgerLine>;
  /** The trials that are in the hands of a task that waits or runs: what is called running among them is not lost. */
  underWay: Set<string>;
}

/** Look at the submissions of a directory, from any machine that sees it; where SLURM cannot be asked, the state of their tasks is `UNKNOWN`. */
export async function slurmView(directory: string): Promise<SlurmView> {
  const open = Submission.openIn(directory);
  if (open.length === 0) return { jobs: [], lines: new Map(), underWay: new Set() };
  const queued = await queuedTasks();
  const parts = open.flatMap((submission) => {
    const { job = "" } = submission;
    return submission.trials.flatMap((trials, index) => {
      const found = queued?.find((each) => each.job === job && each.task === index + 1);
      if (queued && !found) return [];
      const { state = "UNKNOWN", reason = "", nodes = "" } = found ?? {};
      const told: ClusterJob = {
        ...{ executor: "slurm", job, task: index + 1, state, trials: trials.length },
        reason: state === "PENDING" && reason !== "" ? reason : null,
        nodes: nodes === "" ? null : nodes,
      };
      return [{ told, trials }];
    });
  });
  return {
    jobs: parts.map(({ told }) => told),
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
