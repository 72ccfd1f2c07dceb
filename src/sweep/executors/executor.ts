import { z } from "zod";
import type { UsablePython } from "../../python/require-packages.js";
import type { Ledger, LedgerLine } from "../ledger.js";
import type { TrialEnd, TrialTask, WorkerLocation } from "../pool/trial-task.js";

/** The hardware to train on. */
export interface Machine {
  /** The device that `auto` stands for. */
  device: "cpu" | "cuda" | "mps";
  gpus: number;
  /** Trials to train in parallel by default. */
  cores: number;
}

/** Receives the progress of trials. Each call is made before anything that follows from it is done. */
export interface JobListener {
  onStart(task: TrialTask, run: string, fromStep: number, location: WorkerLocation): void;
  onStep(task: TrialTask, step: number, loss: number): void;
  /** After `died` and `lost` the trial is resumed. */
  onEnd(task: TrialTask, end: TrialEnd): void;
}

/** Decides during a job which of its trials are still needed. */
export interface TrialDemand {
  /** Resolves when every trial that has ended has been considered. */
  settled(): Promise<void>;
  /** Aborts when a trial is not needed. One that is being trained then stops after its step, with a checkpoint. */
  signalOf(trial: string): AbortSignal;
}

/** Trials to train. The caller keeps their ledger. */
export interface TrialJob {
  /** Directory of the plan, locked by this process. The runs go into the folders that the tasks name, inside this directory. */
  directory: string;
  name: string;
  /** In the order in which they start. */
  tasks: readonly TrialTask[];
  /** Trials of later rounds, which an earlier submission may still train. They are not started. */
  waiting?: readonly TrialTask[] | undefined;
  machine: Machine;
  workers: number;
  listener: JobListener;
  /** Ends each training after its step, with a checkpoint; starts nothing more. */
  signal: AbortSignal;
  /** Start nothing more once a trial has failed. */
  failFast: boolean;
  /** Omitted if all trials are needed. */
  demand?: TrialDemand | undefined;
}

/** Trains trials on this machine or on others. Every run ends up where its task says, so one executor can resume a directory that another started. */
export interface Executor {
  /** Its name in `executors`. */
  readonly name: string;
  /** Whether it trains on this machine. If so, local memory limits the workers, and a trial can be measured here first. */
  readonly isHere: boolean;
  /** Whether it trains every trial alone, and so supports no batched runs. */
  readonly trainsAlone?: boolean;
  /**
   * Trials of one submission, for an executor that cannot withdraw trials once they are submitted. It gets the trials of a job with `demand` in rounds of this
   * size, or refuses them. @throws {BhBridgeError} `USAGE`.
   */
  roundSize?(workers: number): number;
  /** Message for a first Ctrl-C that leaves the trials to the cluster; default: they stop. */
  readonly stopping?: string;
  /** Message when `train` has resolved and the cluster trains the remaining trials. */
  readonly parting?: string | undefined;
  /** The hardware to train on. @param onCpuAlone whether every trial runs on the CPU, so that no GPU is looked for. */
  machine(onCpuAlone: boolean, signal?: AbortSignal): Promise<Machine>;
  /** Train all trials of a job; resolves when no trial is left for this call. */
  train(job: TrialJob): Promise<void>;
}

/** A directory about to be trained, locked by this process. */
export interface EarlierJobs {
  directory: string;
  ledger: Ledger;
  /** Name of the executor that will train its trials. */
  executor: string;
  signal?: AbortSignal;
}

/** A part of a cluster job that trains some trials of a directory, or waits to. */
export const jobPartSchema = z.strictObject({
  job: z.string().describe("Job number given by the cluster"),
  task: z.int().positive().describe("Index of the array task, from 1"),
  state: z.string().describe("SLURM's own name; UNKNOWN if SLURM does not answer"),
  reason: z.string().nullable().describe("Why it waits"),
  nodes: z.string().nullable().describe("Where it runs"),
  trials: z.int().nonnegative().describe("Number of its trials"),
});
export type JobPart = z.output<typeof jobPartSchema>;

/** Cluster jobs of a directory, read without its lock. */
export interface DirectoryJobs {
  /** Waiting and running parts, in order. */
  jobs: JobPart[];
  /** The newest line of each started trial. */
  lines: ReadonlyMap<string, LedgerLine>;
  /** The trials of waiting and running parts; a running trial among them is not lost. */
  underWay: ReadonlySet<string>;
}

/** One check of `bh-bridge doctor`. */
export const diagnosisSchema = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  found: z.string().nullable(),
  expected: z.string(),
  /** Command or action that fixes the problem; null if there is none. */
  fix: z.string().nullable(),
});
export type Diagnosis = z.output<typeof diagnosisSchema>;

export interface Diagnosed {
  /** The interpreter that would train. */
  python: string;
  /** Where the directory of a sweep would be. */
  folder: string;
}

/** A command-line option of one executor. */
export interface ExecutorOption<Field extends string = string> {
  /** Flags for commander: `--address <url>`. */
  flags: string;
  /** The field it sets in the executor's choice. */
  field: Field;
  /** `texts` may be repeated; `object` is a JSON or YAML file; `number` is a whole number above 0. */
  value: "text" | "texts" | "number" | "object" | "switch";
  description: string;
  /** Whether `bh-bridge doctor` accepts it too. */
  isDiagnosed?: boolean;
}

/** What the list of executors needs of each executor. Its other modules are loaded on demand. */
export interface ExecutorKind<Choice extends object> {
  /** Its name in a sentence. */
  title: string;
  options: readonly ExecutorOption<Extract<keyof Choice, string>>[];
  /** @throws {BhBridgeError} `USAGE` for an invalid option. */
  create(python: UsablePython, choice: Choice): Promise<Executor>;
  /**
   * End the cluster jobs of an earlier start, or update the ledger from them. Idempotent.
   * @throws {BhBridgeError} `RUN_LOCKED` naming the job, `EXECUTOR_UNAVAILABLE` if the cluster does not answer, `ABORTED`.
   */
  settle?(earlier: EarlierJobs): Promise<void>;
  view?(directory: string): Promise<DirectoryJobs>;
  /** End the cluster jobs of a directory. @returns their numbers. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
  cancel?(directory: string): Promise<string[]>;
  /** Checks whether it can train trials; failed checks are returned, not thrown. */
  diagnosis?: {
    /** Text of the status line during the checks. */
    looking: string;
    diagnose(diagnosed: Diagnosed, choice: Choice): Promise<Diagnosis[]>;
  };
}
