import type { UsablePython } from "../../python/resolve-python.js";
import type { Plan } from "../plan/plan.js";
import { allowedCores, coreShares } from "./core-shares.js";
import { LocalWorker } from "./local-worker.js";
import type { TrialWorker } from "./trial-task.js";

/** Starts the workers of this machine: each with its share of the cores, and with a GPU in turn. */
export function localWorkers({ machine, trials }: Plan, python: UsablePython, workers: number): (slot: number) => TrialWorker {
  const threads = Math.max(1, ...trials.map(({ config }) => config.threads ?? 1));
  const cores = allowedCores();
  const shares = cores && workers > 0 ? coreShares(cores, workers, threads) : undefined;
  return (slot) => new LocalWorker({ python, cores: shares?.[slot] ?? null, gpu: machine.gpus > 1 ? slot % machine.gpus : null });
}
