import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { wireNumberSchema } from "../protocol/events.js";
import { executorNames } from "./executors/executors.js";
import { type LedgerLine, trialStatuses } from "./ledger.js";
import { trialResultSchema } from "./pool/trial-task.js";

const count = z.int().nonnegative();

/** What a plan costs on this machine, as far as it is known before it starts. */
const planCostSchema = z.strictObject({
  /** Trials that are still to be trained. */
  trials: count,
  workers: count,
  /** How many trials are trained side by side, where workers train several at a time in stacks. */
  together: count.optional(),
  /** What their runs will take on the disk, and what is free there. */
  diskBytes: count,
  /** Whether that is without the blocks of models of some family, which only Python knows. */
  diskIsLeast: z.boolean().optional(),
  freeBytes: count,
  /** Steps a second of each trial, measured on trials of this sweep; null where none was measured, or none in a stack as wide as one that is left. */
  stepsPerSecond: z.number().nullable(),
  /** Until all is done; null where `stepsPerSecond` is. */
  seconds: z.number().nullable(),
  /** Steps among them that are compiled there for the first time, as far as is known; the time that it takes is in `seconds`. */
  firstCompiles: count.optional(),
  /** Memory of all workers at their peak; where nothing has been measured, that of weights, gradients and moments alone. */
  memoryBytes: count,
});
export type PlanCost = z.output<typeof planCostSchema>;

/** A part of a job on a cluster that trains some of the trials, or waits to. */
const clusterJobSchema = z.strictObject({
  executor: z.enum(executorNames),
  /** Number of the job, as the cluster gave it. */
  job: z.string(),
  /** Which task of it; counts from 1. */
  task: z.int().positive(),
  /** SLURM's own word; `UNKNOWN` where SLURM cannot be asked. */
  state: z.string(),
  /** Why it waits, where it does. */
  reason: z.string().nullable(),
  /** Where it runs. */
  nodes: z.string().nullable(),
  /** Trials that it was given. */
  trials: count,
});
export type ClusterJob = z.output<typeof clusterJobSchema>;

/** One trial of a sweep: what it sets, and what became of it. */
export const sweepTrialSchema = z.strictObject({
  /** Its identity: equal trials have the same everywhere. */
  trial: z.string(),
  status: z.enum(trialStatuses),
  /** Name of its arm, in an experiment. */
  arm: z.string().optional(),
  /** Absolute path of its run; null before there is one. */
  run: z.string().nullable(),
  /** What it sets over the base, by dotted path. */
  set: z.record(z.string(), z.json()),
  /** Why it failed, was pruned or was lost. */
  reason: z.string().nullable(),
  result: trialResultSchema.nullable(),
});
export type SweepTrial = z.output<typeof sweepTrialSchema>;

/** The document of `sweep --json` and `sweep status --json`, and the `result.json` of a sweep. */
export const sweepDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep@1"),
  name: z.string(),
  /** Absolute path; null for a sweep that was only planned. */
  directory: z.string().nullable(),
  trials: z.array(sweepTrialSchema),
  /** Trials by status. */
  counts: z.record(z.enum(trialStatuses), count),
  /** Of `sweep status`, where a job on a cluster trains some of the trials. */
  jobs: z.array(clusterJobSchema).optional(),
  /** Of `--dry-run`. */
  cost: planCostSchema.optional(),
});
export type SweepDocument = z.output<typeof sweepDocumentSchema>;

/** How many trials have each status. */
export function countTrials(trials: readonly Pick<SweepTrial, "status">[]): SweepDocument["counts"] {
  const counts = { planned: 0, running: 0, completed: 0, failed: 0, pruned: 0, lost: 0 };
  for (const { status } of trials) counts[status]++;
  return counts;
}

/** The document of trials whose plan has this name. */
export function sweepDocument(name: string, directory: string | null, trials: SweepTrial[]): SweepDocument {
  return { schema: "bh-bridge/sweep@1", name, directory, trials, counts: countTrials(trials) };
}

const trial = sweepTrialSchema;

const plannedEventSchema = z.strictObject({
  kind: z.literal("planned"),
  name: z.string(),
  directory: z.string(),
  /** How many trials will be trained side by side. */
  workers: count,
  trials: z.array(trial),
  /** Steps of each trial that is left to train, by its identity. */
  steps: z.record(z.string(), count),
});

/** What happens while many runs are trained: the beginning, then what becomes of each trial. */
export const trialEventSchema = z.discriminatedUnion("kind", [
  plannedEventSchema,
  z.strictObject({ kind: z.literal("started"), trial, fromStep: count }),
  z.strictObject({ kind: z.literal("step"), trial, step: count, loss: wireNumberSchema }),
  /** `completed`, `pruned` and `failed` are ends; `lost` will be gone on with now, `planned` when the same is started again. */
  z.strictObject({ kind: z.literal("ended"), trial }),
]);
export type TrialEvent = z.output<typeof trialEventSchema>;

/** The beginning: where the trials lie, and what there is of them. */
export type PlannedEvent = z.output<typeof plannedEventSchema>;

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
