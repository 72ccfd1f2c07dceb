import type { UsablePython } from "../../python/require-packages.js";
import type { Ledger, LedgerLine } from "../ledger.js";
import type { TrialEnd, TrialTask, WorkerPlace } from "../pool/trial-task.js";

/** What there is to train on. */
export interface Machine {
  /** The device that `auto` stands for. */
  device: "cpu" | "cuda" | "mps";
  gpus: number;
  /** Trials to train in parallel by default. */
  cores: number;
}

/** Receives the progress of trials. Each call is made before anything that follows from it is done. */
export interface JobListener {
  onStart(task: TrialTask, run: string, fromStep: number, place: WorkerPlace): void;
  onStep(task: TrialTask, step: number, loss: number): void;
  /** After `died` and `lost` the trial is resumed. */
  onEnd(task: TrialTask, end: TrialEnd): void;
}

/** Trials to train. The caller keeps their ledger. */
export interface TrialJob {
  /** Directory of the plan, whose lock this process holds. The runs go into the folders that the tasks name, inside this directory. */
  directory: string;
  /** Name of the plan. */
  name: string;
  /** In the order in which they start. */
  tasks: readonly TrialTask[];
  machine: Machine;
  /** Maximum number of trials to train in parallel. */
  workers: number;
  listener: JobListener;
  /** Ends each training after its step, with a checkpoint; starts nothing more. */
  signal: AbortSignal;
  /** Start nothing more once a trial has failed. */
  failFast: boolean;
}

/**
 * Trains trials: on this machine, or on others. The caller of `train` keeps the ledger from what its listener receives, and each run ends up where its task
 * says; so a directory that one executor started, another can resume.
 */
export interface Executor {
  /** Its name in `executors`. */
  readonly name: string;
  /** Whether it trains on this machine. If so, local memory limits the workers, and a trial can be measured here before the others. */
  readonly isHere: boolean;
  /** Whether it trains every trial in a batch of its own, and so has no batched runs. */
  readonly trainsAlone?: boolean;
  /** What to print when a first Ctrl-C leaves the trials to somebody else; default: they stop. */
  readonly stopping?: string;
  /** What to print when `train` has resolved and has left trials to be trained by somebody else. */
  readonly parting?: string | undefined;
  /** What there is to train on. @param onCpuAlone whether every trial asks for the CPU, so that GPUs need not be looked for. */
  machine(onCpuAlone: boolean, signal?: AbortSignal): Promise<Machine>;
  /** Train all trials of a job; resolves when none is left that this call trains. */
  train(job: TrialJob): Promise<void>;
}

/** A directory that is about to be conducted, whose lock this process holds. */
export interface EarlierJobs {
  directory: string;
  ledger: Ledger;
  /** Name of the executor that is to train its trials now. */
  executor: string;
  /** Ends the waiting for a cluster that cannot be reached. */
  signal?: AbortSignal;
}

/** A part of a job on a cluster that trains some of the trials of a directory, or waits to. */
export interface JobPart {
  /** Number of the job, as the cluster gave it. */
  job: string;
  /** Which task of it; counts from 1. */
  task: number;
  /** The cluster's own word. */
  state: string;
  /** Why it waits. */
  reason: string | null;
  /** Where it runs. */
  nodes: string | null;
  /** Number of its trials. */
  trials: number;
}

/** The jobs of a directory on a cluster, read without the directory's lock. */
export interface DirectoryJobs {
  /** The parts that wait or run, in their order. */
  jobs: JobPart[];
  /** The newest line of each trial that a job was given and has begun. */
  lines: ReadonlyMap<string, LedgerLine>;
  /** The trials of the parts that wait or run: a running one among them is not lost. */
  underWay: ReadonlySet<string>;
}

/** One check of `bh-bridge doctor`. */
export interface Diagnosis {
  name: string;
  ok: boolean;
  /** What is there; null when there is nothing. */
  found: string | null;
  expected: string;
  /** The command or the action that fixes it; null when nothing is wrong. */
  fix: string | null;
}

/** What a diagnosis looks at. */
export interface Diagnosed {
  /** The interpreter that would train. */
  python: string;
  /** Where the directory of a sweep would lie. */
  folder: string;
}

/** An option of the command line that belongs to one executor. */
export interface ExecutorOption<Field extends string = string> {
  /** As commander takes them: `--address <url>`. */
  flags: string;
  /** The field of the executor's choice that it sets. */
  field: Field;
  /** `texts` may be repeated; `object` is a JSON or YAML file; `number` is a whole number above 0. */
  value: "text" | "texts" | "number" | "object" | "switch";
  description: string;
  /** Whether `bh-bridge doctor` takes it too. */
  isDiagnosed?: boolean;
}

/** An executor as the list of executors holds it: all that the rest of the program calls. It loads its other modules only when they are needed. */
export interface ExecutorKind<Choice extends object> {
  /** Its name in a sentence. */
  title: string;
  options: readonly ExecutorOption<Extract<keyof Choice, string>>[];
  /** @throws {BhBridgeError} `USAGE` for an option that cannot be given. */
  create(python: UsablePython, choice: Choice): Promise<Executor>;
  /**
   * End what an earlier start of a directory has left on a cluster, or bring its ledger up to date with it. Doing it twice changes nothing.
   *
   * @throws {BhBridgeError} `RUN_LOCKED` naming the job, `EXECUTOR_UNAVAILABLE` where the cluster cannot be asked, `ABORTED`.
   */
  settle?(earlier: EarlierJobs): Promise<void>;
  /** The jobs that a cluster has of a directory. */
  view?(directory: string): Promise<DirectoryJobs>;
  /** End the jobs that a cluster has of a directory. @returns their numbers. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
  cancel?(directory: string): Promise<string[]>;
  /** Whether trials can be trained by it; never throws for what it finds. */
  diagnosis?: {
    /** What the status line says meanwhile. */
    looking: string;
    diagnose(diagnosed: Diagnosed, choice: Choice): Promise<Diagnosis[]>;
  };
}
