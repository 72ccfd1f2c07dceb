import { z } from "zod";
import { censusShape } from "../../analysis/document-fields.js";
import { batchedRuns } from "../../config/engine-schema.js";
import { parseRunConfig } from "../../config/parse-run-config.js";
import { isPresetName } from "../../config/presets.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { finalLoss, type TrainResult, trainResultSchema } from "../../runner/train-result.js";
import { pruneSchema } from "../prune/prune-condition.js";

const { rows, unique, C, P, populations } = censusShape;
const { displacement, verdict } = trainResultSchema.shape;

/** Main results of a trial; its run has the rest. */
export const trialResultSchema = z.strictObject({
  steps: z.int().nonnegative(),
  seconds: z.number(),
  /** Whether every recorded weight is finite at the end. */
  finite: z.boolean(),
  /** See `finalLoss`. */
  finalLoss: z.number().nullable(),
  census: z.strictObject({ rows, unique, C, P, populations }),
  displacement,
  verdict,
});
export type TrialResult = z.output<typeof trialResultSchema>;

export function trialResult(result: TrainResult): TrialResult {
  const { steps, seconds, finite, census, displacement: moved, verdict: judged } = result;
  return {
    steps: steps.done,
    seconds,
    finite,
    finalLoss: finalLoss(result),
    census: { rows: census.rows, unique: census.unique, C: census.C, P: census.P, populations: census.populations },
    displacement: moved,
    verdict: judged,
  };
}

/** Numbers of a result by name; null if a run has none. */
export const resultNumbers = {
  C: ({ census }) => census.C,
  P: ({ census }) => census.P,
  unique: ({ census }) => census.unique,
  finalLoss: (result) => result.finalLoss,
  displacement: (result) => result.displacement.float32,
} as const satisfies Record<string, (result: TrialResult) => number | null>;

/** A trial for a worker: plain data, so that it can be sent to another process or machine. */
export const trialTaskSchema = z.strictObject({
  trial: z.string(),
  config: z.record(z.string(), z.json()).transform((config) => parseRunConfig(config)),
  preset: z.string().refine(isPresetName),
  /** SHA-256 of its corpus at planning time. */
  corpus: z.string(),
  /** Folder for its run. */
  out: z.string(),
  /** The run to resume; null to start one. */
  run: z.string().nullable(),
  prune: pruneSchema.nullable(),
});
export type TrialTask = z.output<typeof trialTaskSchema>;

export interface TrialListener {
  onStart(run: string, fromStep: number): void;
  onStep(step: number, loss: number): void;
}

export interface Training {
  task: TrialTask;
  listener: TrialListener;
}

/** How a trial ended in a worker. */
export type TrialEnd =
  | { kind: "completed"; run: string; result: TrialResult }
  | { kind: "pruned"; run: string; result: TrialResult; reason: string }
  /** With a result if all steps were taken, but the weights are not finite. */
  | { kind: "failed"; reason: string; result?: TrialResult }
  /** On request; resumable. */
  | { kind: "stopped" }
  /** Its process ended; resumable. */
  | { kind: "died"; reason: string }
  /** The job that held its process is gone, through no fault of the trial; resumable. */
  | { kind: "lost"; reason: string };

/** Trains trials on this machine or another. */
export interface TrialWorker {
  /** For the ledger; known once it has started a trial. */
  readonly location: WorkerLocation;
  /** Train one trial, or a batch together; never rejects. A worker whose process has died trains no more. */
  train(trainings: readonly Training[]): Promise<TrialEnd[]>;
  /** End the current trainings after their step, with a checkpoint. */
  stop(): void;
  close(): Promise<void>;
  readonly isAlive: boolean;
}

export interface WorkerLocation {
  pid: number;
  /** The machine of that process, unless it is the controller's. */
  host?: string;
  /** The cores it is bound to; null for any. */
  cores: number[] | null;
}

/** Identifies the trials that can share a batch: all settings except those that may differ within one. Undefined for a trial trained alone. */
export function stackOf({ config, corpus }: { config: RunConfig; corpus: string }): string | undefined {
  if (batchedRuns(config) === 1) return undefined;
  const { name: _name, seed: _seed, seeds: _seeds, init: _init, training, ...shared } = config;
  const { learning_rate: _rate, data_seed: _dataSeed, ...rest } = training;
  return JSON.stringify([corpus, shared, rest]);
}

/** What a worker takes at once: a batch of trials, or a single one. */
export type Stack<Trial> = [Trial, ...Trial[]];

/** Group trials into batches, in order, up to the width of each batch. */
export function inStacks<Trial extends { config: RunConfig; corpus: string }>(trials: readonly Trial[]): Stack<Trial>[] {
  const stacks: Stack<Trial>[] = [];
  const newest = new Map<string, Stack<Trial>>();
  for (const trial of trials) {
    const alike = stackOf(trial);
    const open = alike === undefined ? undefined : newest.get(alike);
    if (open && open.length < batchedRuns(trial.config)) {
      open.push(trial);
      continue;
    }
    const begun: Stack<Trial> = [trial];
    stacks.push(begun);
    if (alike !== undefined) newest.set(alike, begun);
  }
  return stacks;
}

/** Number of trials that workers train in parallel at first. */
export function trialsInParallel(stacks: readonly (readonly unknown[])[], workers: number): number {
  return stacks.slice(0, workers).reduce((sum, { length }) => sum + length, 0);
}
