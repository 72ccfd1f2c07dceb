import { z } from "zod";
import { censusShape } from "../../analysis/document-fields.js";
import { batchedRuns } from "../../config/engine-schema.js";
import type { PresetName } from "../../config/presets.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { finalLoss, type TrainResult, trainResultSchema } from "../../runner/train-result.js";
import type { Prune } from "../prune/prune-condition.js";

const { rows, unique, C, P, populations } = censusShape;
const { displacement, verdict } = trainResultSchema.shape;

/** What came out of a trial, in a few numbers; its run has the rest. */
export const trialResultSchema = z.strictObject({
  steps: z.int().nonnegative(),
  seconds: z.number(),
  /** Whether every recorded weight is a finite number at the end. */
  finite: z.boolean(),
  /** As `finalLoss` says. */
  finalLoss: z.number().nullable(),
  census: z.strictObject({ rows, unique, C, P, populations }),
  displacement,
  verdict,
});
export type TrialResult = z.output<typeof trialResultSchema>;

/** The result of a trial, from that of its run. */
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

/** A trial as a worker gets it: plain data, so that it can go to another process or machine. */
export interface TrialTask {
  trial: string;
  config: RunConfig;
  preset: PresetName;
  /** SHA-256 that its corpus had when it was planned. */
  corpus: string;
  /** Folder for its run. */
  out: string;
  /** The run that it goes on with; null begins one. */
  run: string | null;
  prune: Prune | null;
}

/** What a worker tells while it trains. */
export interface TrialListener {
  /** The run has its directory. */
  onStart(run: string, fromStep: number): void;
  onStep(step: number, loss: number): void;
}

/** A trial to be trained, and who hears of it. */
export interface Training {
  task: TrialTask;
  listener: TrialListener;
}

/** How a trial came to its end in a worker. */
export type TrialEnd =
  | { kind: "completed"; run: string; result: TrialResult }
  | { kind: "pruned"; run: string; result: TrialResult; reason: string }
  /** With a result where all steps were taken, to weights that are not numbers. */
  | { kind: "failed"; reason: string; result?: TrialResult }
  /** It was told to stop, and can go on. */
  | { kind: "stopped" }
  /** Its process ended under it; it can go on. */
  | { kind: "died"; reason: string }
  /** Whoever held its process is gone, for a reason that is not the trial's; it can go on. */
  | { kind: "lost"; reason: string };

/** Where trials are trained: on this machine, or on another. */
export interface TrialWorker {
  /** What it runs on, for the ledger; known once it has begun a trial. */
  readonly place: WorkerPlace;
  /** Train one trial, or those of a stack together, each to its own end; never rejects. A worker whose process has died trains no more. */
  train(trainings: readonly Training[]): Promise<TrialEnd[]>;
  /** End what is under way after its step, with a checkpoint. */
  stop(): void;
  /** End the worker. */
  close(): Promise<void>;
  readonly isAlive: boolean;
}

/** Where a worker lives. */
export interface WorkerPlace {
  pid: number;
  /** The machine of that process, where it is another than the controller's. */
  host?: string;
  /** The cores that it keeps to; null where it may run on any. */
  cores: number[] | null;
}

/** What tells which trials can be trained in one stack: all but what a member of it has to itself. Undefined for a trial that is trained alone. */
export function stackOf({ config, corpus }: { config: RunConfig; corpus: string }): string | undefined {
  if (batchedRuns(config) === 1) return undefined;
  const { name: _name, seed: _seed, seeds: _seeds, init: _init, training, ...shared } = config;
  const { learning_rate: _rate, data_seed: _dataSeed, ...rest } = training;
  return JSON.stringify([corpus, shared, rest]);
}

/** What a worker takes at a time: the trials of a stack, or one that is alone. */
export type Stack<Trial> = [Trial, ...Trial[]];

/** Trials as workers take them, in their order: those of one stack together, as many as it holds. */
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

/** How many trials so many workers train side by side at first. */
export function sideBySide(stacks: readonly (readonly unknown[])[], workers: number): number {
  return stacks.slice(0, workers).reduce((sum, { length }) => sum + length, 0);
}
