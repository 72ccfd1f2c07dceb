import type { UsablePython } from "../../../python/resolve-python.js";
import type { TrialTask, TrialWorker } from "../../pool/trial-task.js";
import type { Machine } from "../executor.js";
import { allowedCores, coreShares } from "./core-shares.js";
import { LocalWorker } from "./local-worker.js";

/** Starts the workers of this machine: each with its share of the cores, and with a GPU in turn. */
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
