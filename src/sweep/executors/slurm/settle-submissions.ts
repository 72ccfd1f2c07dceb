import { BhBridgeError } from "../../../errors.js";
import type { Ledger, LedgerLine } from "../../ledger.js";
import type { ExecutorName } from "../executor-names.js";
import { restartMs, squeue } from "./slurm-commands.js";
import { Submission } from "./submission.js";

/**
 * Take into a ledger what the journals of SLURM's tasks say, and close the submissions whose job has ended. Doing it twice changes nothing.
 *
 * @param ledger that of the directory, whose lock this process holds.
 * @param executor where the trials are to be trained now: while a job has some of them, no other may.
 * @param signal ends the waiting for a controller that cannot be reached.
 * @throws {BhBridgeError} `RUN_LOCKED` naming the job, `EXECUTOR_UNAVAILABLE` where it cannot be told whether it has ended.
 */
export async function settleSubmissions(directory: string, ledger: Ledger, executor: ExecutorName, signal?: AbortSignal): Promise<void> {
  const open = Submission.openIn(directory);
  if (open.length === 0) return;
  const queued = await squeue({ patienceMs: restartMs, ...(signal && { signal }) }); // before the journals are read: what has ended by now has written all of its lines
  for (const submission of open) {
    for (const line of submission.journal().values()) if (!isKnown(ledger.of(line.trial), line)) ledger.append(undated(line));
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

function isKnown(known: LedgerLine | undefined, { status, run }: LedgerLine): boolean {
  return known !== undefined && known.run === run && (known.status === status || (known.status === "lost" && status === "running"));
}

function undated({ at: _at, ...line }: LedgerLine): Omit<LedgerLine, "at"> {
  return line;
}
