import type { UsablePython } from "../../python/resolve-python.js";
import { temporaryFolder } from "../../runner/temporary-folder.js";
import { lastEvent } from "../../runs/read-events.js";
import type { Executor } from "../executors/executor.js";
import { localWorkers } from "../executors/local/local-workers.js";
import { readLedger } from "../ledger.js";
import { type SweepDocument, sweepDocument } from "../sweep-document.js";
import { trialStates } from "../trial-states.js";
import type { Plan } from "./plan.js";
import { type Measured, memoryOf, planCost, requireRoom } from "./plan-cost.js";
import { findPlanDirectory } from "./plan-directory.js";
import type { Trial } from "./plan-trials.js";
import { requireStacks } from "./require-stacks.js";
import { taskOf } from "./task-of.js";

/** By so many steps a step takes what it will take. */
const probeSteps = 20;

/** A run of so many steps is compiled by itself; PAYS_FROM of python/bh_bridge/fast_step/compiling.py. */
export const compiledFromSteps = 250;

/** What compiling takes where it was done before, as it was by the probe: 3 s on one core of 2025. */
const cachedCompileSeconds = 3;

/** How a preview is made. */
interface PreviewOptions {
  out: string;
  workers: number;
  retry?: boolean | undefined;
  signal: AbortSignal;
}

/**
 * What a plan would train, what is there of it already, and what the rest will take. Where no trial of it has been trained, the first one's first steps are, in
 * a temporary folder; not for an executor on other machines, which take another time.
 *
 * @throws {BhBridgeError} `DISK_FULL` when the plan cannot be finished here, `USAGE` when so many workers do not fit into the memory.
 */
export async function previewPlan(
  plan: Plan,
  python: UsablePython,
  executor: Pick<Executor, "isHere" | "name">,
  { out, workers, retry, signal }: PreviewOptions,
): Promise<SweepDocument> {
  requireStacks(plan.trials, executor);
  const directory = findPlanDirectory(out, plan).same;
  const ledger = directory === undefined ? new Map() : readLedger(directory);
  const trials = trialStates(
    directory ?? out,
    plan.trials,
    (trial) => ledger.get(trial),
    () => false,
  );
  const by = { workers, retry };
  const memory = memoryOf(executor);
  requireRoom(planCost(out, plan.trials, trials, by), memory);
  const [first] = plan.trials;
  const isMeasured = trials.some(({ result }) => result !== null);
  const probe = first && !isMeasured && executor.isHere ? await probePlan(plan, first, python, signal) : undefined;
  const cost = planCost(out, plan.trials, trials, by, probe);
  requireRoom(cost, memory);
  return { ...sweepDocument(plan.name, directory ?? null, trials), cost };
}

/** Measure a trial as it will be trained: a few steps alone would not be compiled. Where that cannot be, it will not be compiled either. */
async function probePlan(plan: Plan, trial: Trial, python: UsablePython, signal: AbortSignal): Promise<Measured | undefined> {
  const { config } = trial;
  const isCompiled = config.engine === "fast" && config.stack === 1 && config.compiled_step === "auto" && config.training.max_steps >= compiledFromSteps;
  const compiled = isCompiled ? await probeTrial(plan, { ...trial, config: { ...config, compiled_step: "on" } }, python, signal) : undefined;
  return compiled ?? (await probeTrial(plan, trial, python, signal));
}

/** Train the first steps of a trial, and forget them; nothing where it fails, which its training will tell. */
async function probeTrial(plan: Plan, trial: Trial, python: UsablePython, signal: AbortSignal): Promise<Measured | undefined> {
  using out = temporaryFolder("probe");
  const worker = localWorkers([trial], plan.machine, python, 1)(0);
  const stop = () => worker.stop();
  signal.addEventListener("abort", stop);
  try {
    const { config } = trial;
    const short = { ...config, training: { ...config.training, max_steps: Math.min(probeSteps, config.training.max_steps) } };
    const task = { ...taskOf(plan, { ...trial, config: short }, out.path), prune: null };
    const [end] = await worker.train([{ task, listener: { onStart: () => undefined, onStep: () => undefined } }]);
    if (end?.kind !== "completed") return undefined;
    const { steps, seconds } = end.result;
    const compiled = lastEvent(end.run, "compiled_step");
    return {
      stepsPerSecond: steps / (seconds - (compiled?.seconds ?? 0)),
      secondsBefore: compiled?.used ? cachedCompileSeconds : 0,
      peakBytes: lastEvent(end.run, "usage")?.peak_bytes ?? null,
    };
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.close();
  }
}
