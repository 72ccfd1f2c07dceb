import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LedgerLine } from "./ledger.js";
import type { SweepTrial } from "./sweep-document.js";

/** A trial as a plan names it. */
type PlannedTrial = Pick<SweepTrial, "trial" | "set" | "arm">;

/**
 * What became of the trials of a plan, in its order.
 *
 * @param newest the newest line of a trial in the ledger.
 * @param isUnderWay whether somebody trains a trial, or will: without that, what is called running is lost.
 */
export function trialStates(
  directory: string,
  trials: readonly PlannedTrial[],
  newest: (trial: string) => LedgerLine | undefined,
  isUnderWay: (trial: string) => boolean,
): SweepTrial[] {
  return trials.map(({ trial, arm, set }) => {
    const line = newest(trial);
    const known = { trial, ...(arm !== undefined && { arm }) };
    if (!line) return { ...known, status: "planned", run: null, set, reason: null, result: null };
    const run = line.run === null ? null : join(directory, line.run);
    const isKept = line.status !== "failed" || line.result !== undefined; // what failed on its way may have left no run
    const isGone = run !== null && isKept && !existsSync(run);
    const isLost = isGone || (line.status === "running" && !isUnderWay(trial));
    const reason = isGone ? `${run} is gone` : (line.reason ?? null);
    return { ...known, status: isLost ? "lost" : line.status, run: isGone ? null : run, set, reason, result: isGone ? null : (line.result ?? null) };
  });
}
