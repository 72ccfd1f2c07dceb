import type { PresetName } from "../../config/presets.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { Prune } from "../prune/prune-condition.js";
import type { TrialResult } from "../trial-result.js";

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
