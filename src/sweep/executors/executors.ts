import { BhBridgeError } from "../../errors.js";
import type { UsablePython } from "../../python/require-packages.js";
import type { DirectoryJobs, EarlierJobs, Executor, ExecutorKind, JobPart } from "./executor.js";
import { ray } from "./ray/ray.js";
import type { RayChoice } from "./ray/ray-executor.js";
import { slurm } from "./slurm/slurm.js";
import type { SlurmOptions } from "./slurm/slurm-executor.js";

/** Trains on this machine. */
const local: ExecutorKind<object> = {
  title: "this machine",
  options: [],
  create: async (python) => new (await import("./local/local-executor.js")).LocalExecutor(python),
};

const executors = { local, ray, slurm } as const;
type ExecutorOptions = RayChoice & SlurmOptions;

export type ExecutorName = keyof typeof executors;
export const executorNames = Object.keys(executors) as ExecutorName[];

/** Where to train trials, with the options of each executor. */
export interface ExecutorChoice extends ExecutorOptions {
  /** Default: this machine. */
  executor?: ExecutorName | undefined;
}

export const executorKinds = Object.entries(executors) as [ExecutorName, ExecutorKind<ExecutorChoice>][];

/** The chosen executor. @throws {BhBridgeError} `USAGE` for an unknown name. */
export async function chooseExecutor(choice: ExecutorChoice, python: UsablePython): Promise<Executor> {
  const { executor = "local" } = choice;
  const kind = new Map(executorKinds).get(executor);
  if (kind === undefined) throw new BhBridgeError("USAGE", `there is no executor "${String(executor)}"; the executors are ${executorNames.join(", ")}`);
  return kind.create(python, choice);
}

/** Settle what earlier starts of a directory left on any cluster. @throws {BhBridgeError} see `ExecutorKind.settle`. */
export async function settleEarlierJobs(earlier: EarlierJobs): Promise<void> {
  for (const [, kind] of executorKinds) await kind.settle?.(earlier);
}

/** The cluster jobs of a directory, read without its lock. */
export async function viewJobs(directory: string): Promise<DirectoryJobs & { jobs: (JobPart & { executor: ExecutorName })[] }> {
  const views = await Promise.all(executorKinds.map(async ([executor, kind]) => ({ executor, view: await kind.view?.(directory) })));
  return {
    jobs: views.flatMap(({ executor, view }) => view?.jobs.map((part) => ({ executor, ...part })) ?? []),
    lines: new Map(views.flatMap(({ view }) => [...(view?.lines ?? [])])),
    underWay: new Set(views.flatMap(({ view }) => [...(view?.underWay ?? [])])),
  };
}

/** End all cluster jobs of a directory. @returns the job numbers of each executor that had some. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function cancelJobs(directory: string): Promise<{ executor: ExecutorName; title: string; jobs: string[] }[]> {
  const cancelled = [];
  for (const [executor, kind] of executorKinds) {
    const jobs = (await kind.cancel?.(directory)) ?? [];
    if (jobs.length > 0) cancelled.push({ executor, title: kind.title, jobs });
  }
  return cancelled;
}
