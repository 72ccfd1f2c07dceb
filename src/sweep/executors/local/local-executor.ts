import { availableParallelism } from "node:os";
import { askTorch } from "../../../python/ask-torch.js";
import type { UsablePython } from "../../../python/resolve-python.js";
import { runPool } from "../../pool/run-pool.js";
import type { Executor, Machine, TrialJob } from "../executor.js";
import { localWorkers } from "./local-workers.js";

/** Trains on this machine, each worker a process of its own with a Python of its own. */
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
