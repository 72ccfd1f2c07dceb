import { batchedRuns } from "../../config/engine-schema.js";
import type { UsablePython } from "../../python/require-packages.js";
import { temporaryFolder } from "../../python/session-folder.js";
import type { Executor } from "../executors/executor.js";
import { localWorkers } from "../executors/local/local-executor.js";
import { statedRules } from "../experiment/rules.js";
import { inStacks } from "../pool/trial-task.js";
import { type SweepDocument, type SweepTrial, sweepDocument } from "../sweep-document.js";
import { type Measured, measuredOf, measureFirstSteps } from "./measured.js";
import type { Plan } from "./plan.js";
import { memoryOf, planCost, requireRoom, trialsLeft } from "./plan-cost.js";
import { trialsFound } from "./plan-directory.js";
import type { Trial } from "./plan-trials.js";
import { requireGpus, requireStacks, taskOf } from "./trial-label.js";

/** Step times are stable after half of these steps. */
const probeSteps = 20;

interface PreviewOptions {
  out: string;
  workers: number;
  retry?: boolean | undefined;
  signal: AbortSignal;
}

/**
 * What a plan would train, what exists already, and the cost of the rest. Untrained batch widths are measured with a few steps in a temporary folder, unless
 * the executor trains elsewhere.
 * @throws {BhBridgeError} `CONFIG_INVALID` for engine `fast` on a CPU, `DISK_FULL` if the plan cannot finish here, `USAGE` if the workers do not fit into memory.
 */
export async function previewPlan(
  plan: Plan,
  python: UsablePython,
  executor: Pick<Executor, "isHere" | "name" | "trainsAlone">,
  { out, workers, retry, signal }: PreviewOptions,
): Promise<SweepDocument> {
  requireStacks(plan.trials, executor);
  const { directory, states: trials } = trialsFound(out, plan);
  requireGpus(trialsLeft(plan.trials, trials, retry === true), plan.machine);
  const { isHere } = executor;
  const by = { workers, retry };
  const memory = memoryOf(executor);
  requireRoom(planCost(out, plan.trials, trials, by), memory);
  const probes = isHere ? await probePlan(plan, trials, python, { retry, signal }) : [];
  const cost = planCost(out, plan.trials, trials, by, probes);
  requireRoom(cost, memory);
  return { ...sweepDocument(plan.name, directory ?? null, trials), cost, ...sequentialPlan(plan) };
}

function sequentialPlan({ question }: Pick<Plan, "question">): Pick<SweepDocument, "sequential"> {
  if (question?.rules.sequential !== true) return {};
  return { sequential: { maximum: question.seeds.length, rules: statedRules(question.rules, question.arms.length - 1) } };
}

/** Measure one batch of each untrained width; a single trial counts as a batch. */
async function probePlan(
  plan: Plan,
  states: readonly SweepTrial[],
  python: UsablePython,
  { retry = false, signal }: Pick<PreviewOptions, "retry" | "signal">,
): Promise<Measured[]> {
  const known = new Set(measuredOf(plan.trials, states).map(({ stack }) => stack));
  const probes: Measured[] = [];
  for (const stack of inStacks(trialsLeft(plan.trials, states, retry))) {
    const width = batchedRuns(stack[0].config);
    if (known.has(width)) continue;
    known.add(width);
    const probe = await probeTrials(plan, stack, python, signal);
    if (probe) probes.push(probe);
  }
  return probes;
}

/** Train the first steps of a batch in a temporary folder; undefined if a trial fails, which its training will report. */
async function probeTrials(plan: Plan, trials: readonly Trial[], python: UsablePython, signal: AbortSignal): Promise<Measured | undefined> {
  using out = temporaryFolder("probe");
  const worker = localWorkers(trials, plan.machine, python, 1)(0);
  const stop = () => worker.stop();
  signal.addEventListener("abort", stop);
  try {
    const tasks = trials.map(({ config, ...trial }) => {
      const short = { ...config, training: { ...config.training, max_steps: Math.min(probeSteps, config.training.max_steps) } };
      return { ...taskOf(plan, { ...trial, config: short }, out.path), prune: null };
    });
    const ends = await worker.train(tasks.map((task) => ({ task, listener: { onStart: () => undefined, onStep: () => undefined } })));
    const trained = ends.flatMap((end, index) => {
      const config = tasks[index]?.config;
      return end.kind === "completed" && config ? [{ config, corpusBytes: trials[index]?.corpusBytes, run: end.run, ...end.result }] : [];
    });
    const [first, ...others] = trained;
    return first && trained.length === trials.length ? measureFirstSteps([first, ...others]) : undefined;
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.close();
  }
}
