import { resolve } from "node:path";
import type { LockHolders } from "../runs/scan-runs.js";
import { viewJobs } from "./executors/executors.js";
import { readLedger } from "./ledger.js";
import { withArms } from "./plan/plan.js";
import { readPlan } from "./plan/plan-file.js";
import { type SweepDocument, sweepDocument } from "./sweep-document.js";
import { trialStates } from "./trial-states.js";

/**
 * What became of a sweep so far, from the files of its directory; it may be under way.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`.
 */
export async function readSweep(path: string, lockHolders: LockHolders): Promise<SweepDocument> {
  const directory = resolve(path);
  const { name, question, trials } = readPlan(directory);
  const planned = withArms(trials, question?.cells ?? []);
  const ledger = readLedger(directory);
  const isUnderWay = (await lockHolders([directory])).has(directory);
  const { jobs, lines, underWay } = await viewJobs(directory);
  const newest = (trial: string) => lines.get(trial) ?? ledger.get(trial);
  const states = trialStates(directory, planned, newest, (trial) => isUnderWay || underWay.has(trial));
  return { ...sweepDocument(name, directory, states), ...(jobs.length > 0 && { jobs }) };
}
