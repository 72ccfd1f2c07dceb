import type { TrialEnd, TrialTask, WorkerPlace } from "../pool/trial-task.js";
import type { ExecutorName } from "./executor-names.js";

/** What there is to train on. */
export interface Machine {
  /** The device that `auto` stands for. */
  device: "cpu" | "cuda" | "mps";
  gpus: number;
  /** As many trials are trained side by side where nobody says a number. */
  cores: number;
}

/** What is told of trials under way; each is told before anything that follows from it is done. */
export interface JobListener {
  onStart(task: TrialTask, run: string, fromStep: number, place: WorkerPlace): void;
  onStep(task: TrialTask, step: number, loss: number): void;
  /** After `died` and `lost` the trial is resumed. */
  onEnd(task: TrialTask, end: TrialEnd): void;
}

/** Trials to train, handed out by whoever keeps their ledger. */
export interface TrialJob {
  /** That of the plan, whose lock this process holds. The runs go into the folders that the tasks name, which lie in it. */
  directory: string;
  /** That of the plan. */
  name: string;
  /** In the order in which they are to be begun. */
  tasks: readonly TrialTask[];
  machine: Machine;
  /** How many are trained side by side, at most. */
  workers: number;
  listener: JobListener;
  /** Ends each training after its step, with a checkpoint; nothing more is begun. */
  signal: AbortSignal;
  /** Begin nothing more once a trial has failed. */
  failFast: boolean;
}

/**
 * Where trials are trained: this machine, or others. The ledger is kept by whoever calls `train`, from what its listener hears, and each run comes to lie where
 * its task says; so a directory that one executor began, another goes on with.
 */
export interface Executor {
  readonly name: ExecutorName;
  /** Whether it trains on this machine: its memory limits the workers then, and a trial can be measured here before the others. */
  readonly isHere: boolean;
  /** What to tell when `train` has resolved and has left trials to be trained by somebody else; undefined where it has not. */
  readonly parting?: string | undefined;
  /** What there is to train on, where the trials will be. @param onCpuAlone whether every trial asks for the CPU: then nobody has to be asked for GPUs. */
  machine(onCpuAlone: boolean, signal?: AbortSignal): Promise<Machine>;
  /** Train all trials of a job; resolves when there is none left that goes on now. */
  train(job: TrialJob): Promise<void>;
}
