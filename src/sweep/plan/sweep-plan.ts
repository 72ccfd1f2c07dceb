import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { corpusOf } from "../../bridge/corpus.js";
import { corpusPath } from "../../config/corpus-path.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { askTorch } from "../../python/ask-torch.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { LoadedSweep } from "../grammar/load-sweep.js";
import type { Prune } from "../prune/prune-condition.js";
import { type PlanFacts, planTrials, type Trial } from "./plan-trials.js";

/** What a sweep is going to train. */
export interface SweepPlan {
  name: string;
  base: ResolvedConfig;
  trials: Trial[];
  prune: Prune | null;
  /** Of what its trials have in common, and of its rule for pruning: a sweep with the same may get more trials. */
  hash: string;
  machine: Machine;
}

/** What there is to train on. */
interface Machine {
  /** The device that `auto` stands for. */
  device: "cpu" | "cuda" | "mps";
  gpus: number;
  cores: number;
}

/** CPU threads of a trial that does not say: many small trainings side by side are quicker than one on many threads. */
const threadsOfTrial = 1;

/**
 * Plan a sweep: every trial complete, checked and identified; nothing is started. Corpora are read once each.
 *
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; `CORPUS_INVALID`, `ABORTED`.
 */
export async function planSweep({ name, spec, base, points, sourceOf }: LoadedSweep, python: UsablePython, signal?: AbortSignal): Promise<SweepPlan> {
  const machine = await machineFor(base, points, python, signal);
  const facts: PlanFacts = { device: machine.device, threads: threadsOfTrial, corpusOf: corpusReader(base, signal), sourceOf };
  const trials = await planTrials(base, points, facts);
  const prune = spec.prune ?? null;
  const common = JSON.stringify([base.hash, await facts.corpusOf(base.config), prune]);
  return { name, base, trials, prune, hash: createHash("sha256").update(common).digest("hex"), machine };
}

/** Ask PyTorch what there is, unless every trial is trained on the CPU. */
async function machineFor(base: ResolvedConfig, points: LoadedSweep["points"], python: UsablePython, signal?: AbortSignal): Promise<Machine> {
  const cores = availableParallelism();
  const isOnCpu = base.config.device === "cpu" && !points.some(({ set }) => Object.hasOwn(set, "device"));
  if (isOnCpu) return { device: "cpu", gpus: 0, cores };
  const { devices } = (await askTorch(python.path, signal)).environment;
  return { device: devices.cuda.length > 0 ? "cuda" : devices.mps ? "mps" : "cpu", gpus: devices.cuda.length, cores };
}

/** Reads the corpus of a configuration; one that was read with the same settings is not read again. */
function corpusReader(base: ResolvedConfig, signal?: AbortSignal): (config: RunConfig) => Promise<string> {
  const read = new Map<string, Promise<string>>();
  return (config) => {
    const { vocab_size, n_positions } = config.model;
    const { per_device_train_batch_size, dataloader_drop_last } = config.training;
    const key = JSON.stringify([corpusPath(config), vocab_size, n_positions, config.data.held_out, per_device_train_batch_size, dataloader_drop_last]);
    const known = read.get(key) ?? corpusOf({ ...base, config }, signal).then(({ sha256 }) => sha256);
    read.set(key, known);
    return known;
  };
}
