import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { UsablePython } from "../../../python/require-packages.js";
import { askTorch } from "../../../python/run-python-script.js";
import { runPool } from "../../pool/run-pool.js";
import type { TrialTask, TrialWorker } from "../../pool/trial-task.js";
import type { Executor, Machine, TrialJob } from "../executor.js";
import { LocalWorker } from "./local-worker.js";

/** The cores that this process may run on; undefined outside Linux. */
export function allowedCores(): number[] | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return list?.split(",").flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  } catch {
    return undefined;
  }
}

/** Disjoint, even shares of the cores for the workers. Undefined if a share is smaller than a trial's threads; the operating system schedules better then. */
export function coreShares(cores: readonly number[], workers: number, threads: number): number[][] | undefined {
  if (Math.floor(cores.length / workers) < threads) return undefined;
  return Array.from({ length: workers }, (_, worker) =>
    cores.slice(Math.floor((worker * cores.length) / workers), Math.floor(((worker + 1) * cores.length) / workers)),
  );
}

/** Starts the workers of this machine, each with its share of the cores and one of the GPUs. */
export function localWorkers(
  tasks: readonly Pick<TrialTask, "config">[],
  { gpus }: Pick<Machine, "gpus">,
  python: UsablePython,
  workers: number,
): (slot: number) => TrialWorker {
  const threads = Math.max(1, ...tasks.map(({ config }) => config.threads ?? 1));
  const cores = allowedCores();
  const shares = cores && workers > 0 ? coreShares(cores, workers, threads) : undefined;
  return (slot) => new LocalWorker({ python, cores: shares?.[slot] ?? null, gpu: gpus > 1 ? slot % gpus : null });
}

/** Trains on this machine, in worker processes that each have their own Python. */
export class LocalExecutor implements Executor {
  readonly name = "local";
  readonly isHere = true;
  readonly #python: UsablePython;

  constructor(python: UsablePython) {
    this.#python = python;
  }

  async machine(onCpuAlone: boolean, signal?: AbortSignal): Promise<Machine> {
    const cores = availableParallelism();
    if (onCpuAlone) return { device: "cpu", gpus: 0, cores };
    const { devices } = (await askTorch(this.#python.path, signal)).environment;
    return { device: devices.cuda.length > 0 ? "cuda" : devices.mps ? "mps" : "cpu", gpus: devices.cuda.length, cores };
  }

  async train({ tasks, machine, workers, listener, signal, failFast }: TrialJob): Promise<void> {
    const startWorker = localWorkers(tasks, machine, this.#python, Math.min(workers, tasks.length));
    await runPool(tasks, { workers, startWorker, listener, signal, failFast });
  }
}
