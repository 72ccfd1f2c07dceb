import { hasTakenStep } from "./has-taken-step.js";
import type { FoundRun } from "./scan-runs.js";

/**
 * The runs that did not get to their end, newest first: killed, failed, or stopped by a signal. One that a decider stopped has ended as it was meant to,
 * and one that took no step has nothing to go on with.
 */
export function unfinishedRuns(runs: readonly FoundRun[]): FoundRun[] {
  return runs
    .filter(({ status, manifest }) => status === "interrupted" || status === "failed" || (status === "stopped" && manifest?.reason !== "decider"))
    .filter(({ directory }) => hasTakenStep(directory))
    .sort((left, right) => (right.manifest?.created ?? "").localeCompare(left.manifest?.created ?? ""));
}
