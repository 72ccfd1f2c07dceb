import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { wireNumberSchema } from "../protocol/events.js";
import { jobPartSchema } from "./executors/executor.js";
import { executorNames } from "./executors/executors.js";
import { type LedgerLine, trialStatuses } from "./ledger.js";
import { trialResultSchema } from "./pool/trial-task.js";

const count = z.int().nonnegative();

const planCostSchema = z.strictObject({
  /** Trials left to train. */
  trials: count,
  workers: count,
  /** Trials trained in parallel, if workers train several in a batch. */
  together: count.optional(),
  /** Expected size of their runs. */
  diskBytes: count,
  /** Whether `diskBytes` excludes the blocks of a model family that only Python knows. */
  diskIsLeast: z.boolean().optional(),
  freeBytes: count,
  /** Steps per second of each trial, measured on trials of this sweep; null if no trial was measured, or none in a batch of a remaining width. */
  stepsPerSecond: z.number().nullable(),
  /** Time until all trials have ended; null if `stepsPerSecond` is. */
  seconds: z.number().nullable(),
  /** Of version 0.2: steps of engine `fast` to compile for the first time. Not written any more. */
  firstCompiles: count.optional(),
  /** Peak memory of all workers; without a measurement, only weights, gradients and moments. */
  memoryBytes: count,
});
export type PlanCost = z.output<typeof planCostSchema>;

const clusterJobSchema = z.strictObject({ executor: z.enum(executorNames), ...jobPartSchema.shape });
export type ClusterJob = z.output<typeof clusterJobSchema>;

/** One trial of a sweep and its state. */
export const sweepTrialSchema = z.strictObject({
  /** Its identity: equal trials have the same one everywhere. */
  trial: z.string(),
  status: z.enum(trialStatuses),
  /** Name of its arm, in an experiment. */
  arm: z.string().optional(),
  /** Absolute path of its run; null before there is one. */
  run: z.string().nullable(),
  /** Values it sets over the base, by dotted path. */
  set: z.record(z.string(), z.json()),
  /** Why it failed, was pruned, was lost or was skipped. */
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
  counts: z.strictObject({ planned: count, running: count, completed: count, failed: count, pruned: count, lost: count, skipped: count.default(0) }),
  /** From `sweep status`: cluster jobs that train some of the trials. */
  jobs: z.array(clusterJobSchema).optional(),
  /** From `--dry-run`. */
  cost: planCostSchema.optional(),
  /** From `--dry-run` of a sequential experiment: the maximum of pairs, and the rules that can end it earlier. */
  sequential: z.strictObject({ maximum: count, rules: z.array(z.string()).readonly() }).optional(),
});
export type SweepDocument = z.output<typeof sweepDocumentSchema>;

export function countTrials(trials: readonly Pick<SweepTrial, "status">[]): SweepDocument["counts"] {
  const counts = { planned: 0, running: 0, completed: 0, failed: 0, pruned: 0, lost: 0, skipped: 0 };
  for (const { status } of trials) counts[status]++;
  return counts;
}

export function sweepDocument(name: string, directory: string | null, trials: SweepTrial[]): SweepDocument {
  return { schema: "bh-bridge/sweep@1", name, directory, trials, counts: countTrials(trials) };
}

const trial = sweepTrialSchema;

/** The trials of a sweep or experiment, before they start. */
const plannedEventSchema = z.strictObject({
  kind: z.literal("planned"),
  name: z.string(),
  directory: z.string(),
  /** Trials in parallel. */
  workers: count,
  trials: z.array(trial),
  /** Steps of each remaining trial, by identity. */
  steps: z.record(z.string(), count),
});

/** The evidence of an arm of a sequential experiment, after a further complete pair. */
const judgedEventSchema = z.strictObject({
  kind: z.literal("judged"),
  arm: z.string(),
  /** Complete pairs, in plan order. */
  pairs: count,
  /** Planned pairs. */
  maximum: count,
  /** The largest corrected e-value over the deciding measures, and the value that decides. */
  e: z.number(),
  threshold: z.number(),
  /** The smallest e-value of null over the deciding measures: null needs all of them. 0 if null is impossible. */
  eNull: z.number(),
  /** Whether another pair is needed. */
  state: z.enum(["undecided", "decided", "hopeless", "at the maximum"]),
  /** Of a decided arm. */
  result: z.enum(["positive", "null", "degenerate"]).nullable(),
});
export type JudgedEvent = z.output<typeof judgedEventSchema>;

/** The events of a sweep or experiment: the plan first, then the progress of each trial. */
export const trialEventSchema = z.discriminatedUnion("kind", [
  plannedEventSchema,
  z.strictObject({ kind: z.literal("started"), trial, fromStep: count }),
  z.strictObject({ kind: z.literal("step"), trial, step: count, loss: wireNumberSchema }),
  /** `completed`, `pruned`, `failed` and `skipped` are final; `lost` is resumed now, `planned` at the next start. */
  z.strictObject({ kind: z.literal("ended"), trial }),
  judgedEventSchema,
]);
export type TrialEvent = z.output<typeof trialEventSchema>;

export type PlannedEvent = z.output<typeof plannedEventSchema>;

type PlannedTrial = Pick<SweepTrial, "trial" | "set" | "arm">;

/**
 * The states of a plan's trials, in order.
 * @param newest the newest ledger line of a trial.
 * @param isUnderWay whether a trial is being trained, or will be; a running one that is not is lost.
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
    const isKept = line.status !== "failed" || line.result !== undefined; // a trial that failed early may have left no run
    const isGone = run !== null && isKept && !existsSync(run);
    const isLost = isGone || (line.status === "running" && !isUnderWay(trial));
    const reason = isGone ? `${run} is gone` : (line.reason ?? null);
    return { ...known, status: isLost ? "lost" : line.status, run: isGone ? null : run, set, reason, result: isGone ? null : (line.result ?? null) };
  });
}
