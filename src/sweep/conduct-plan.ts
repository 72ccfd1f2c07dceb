import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { durableWrite } from "../formats/durable-write.js";
import { lockDirectory } from "../python/lock-holders.js";
import type { UsablePython } from "../python/require-packages.js";
import { trialOfRun } from "../runs/run-config.js";
import { noLockHolders, scanRuns } from "../runs/scan-runs.js";
import type { Executor, JobListener, TrialJob } from "./executors/executor.js";
import { type ExecutorChoice, settleEarlierJobs } from "./executors/executors.js";
import { type DemandHooks, UntilDecided } from "./experiment/until-decided.js";
import { isLeft, Ledger, type LedgerLine, lineOfEnd } from "./ledger.js";
import type { Plan } from "./plan/plan.js";
import { memoryOf, planCost, requireRoom, trialsLeft } from "./plan/plan-cost.js";
import { createPlanDirectory, replacePlan, trialsFound } from "./plan/plan-directory.js";
import type { Trial } from "./plan/plan-trials.js";
import { requireGpus, requireStacks, taskOf } from "./plan/trial-label.js";
import { inStacks, type TrialEnd, type TrialTask, trialsInParallel } from "./pool/trial-task.js";
import { type SweepTrial, type TrialEvent, trialStates } from "./sweep-document.js";

/** Options of `sweep` and `experiment`. */
export interface ConductOptions extends ExecutorChoice {
  /** Folder for the plan's directory (default: `sweeps` or `experiments`). */
  out?: string | undefined;
  /** Trials to train in parallel (default: one per core). */
  workers?: number | undefined;
  /** Train failed trials again. */
  retry?: boolean | undefined;
  /** Start no more trials once one has failed. */
  failFast?: boolean | undefined;
  /** Ends each training after its step, with a checkpoint. The same plan resumes from there. */
  signal?: AbortSignal | undefined;
}

/** Concludes from the ended trials of a plan: the document and the summary page of its directory. */
export type Conclude<Document> = (ended: {
  directory: string;
  trials: SweepTrial[];
  signal: AbortSignal;
}) => Awaitable<{ document: Document; summary: string }>;
type Awaitable<Value> = Value | Promise<Value>;

export interface ConductedPlan<Document> {
  document: Document;
  trials: SweepTrial[];
}

const runsFolder = "runs";

/**
 * Train the missing trials of a plan in its directory, which an earlier start may have created, and write the result there.
 * @param conclude called once all trials have ended, with the directory still locked.
 * @throws {BhBridgeError} `RUN_LOCKED` when another process trains this plan, `DISK_FULL` before anything starts, `FILE_UNWRITABLE`, `USAGE` for incomplete
 * batches, `CONFIG_INVALID` for engine `fast` on a CPU.
 */
export async function conductPlan<Document>(
  plan: Plan,
  python: UsablePython,
  executor: Executor,
  {
    out = ".",
    workers = plan.machine.cores,
    retry = false,
    failFast = false,
    signal = new AbortController().signal,
  }: Omit<ConductOptions, keyof ExecutorChoice>,
  report: (event: TrialEvent) => void,
  conclude: Conclude<Document>,
): Promise<ConductedPlan<Document>> {
  requireStacks(plan.trials, executor);
  const roundSize = isSequential(plan) ? executor.roundSize?.(workers) : undefined;
  const found = trialsFound(out, plan);
  requireGpus(trialsLeft(plan.trials, found.states, retry), plan.machine);
  const directory = found.directory ?? createPlanDirectory(out, plan);
  await using _lock = await lockDirectory(python.path, directory);
  using ledger = new Ledger(directory);
  await settleEarlierJobs({ directory, ledger, executor: executor.name, signal });
  const runs = join(directory, runsFolder);
  mkdirSync(runs, { recursive: true });
  await adoptRuns(directory, plan.trials, ledger);
  const { states, listener, demand } = recorder(directory, plan, ledger, report, signal);
  requireRoom(planCost(directory, plan.trials, states(), { workers, retry }), memoryOf(executor));
  replacePlan(directory, plan);
  await demand?.start(retry);
  const tasks = tasksLeft(plan, states(), runs, retry);
  const steps = Object.fromEntries(tasks.map(({ trial, config }) => [trial, config.training.max_steps]));
  report({ kind: "planned", name: plan.name, directory, workers: trialsInParallel(inStacks(tasks), workers), trials: states(), steps });
  const job = { directory, name: plan.name, machine: plan.machine, workers, listener, signal, failFast, demand };
  if (demand && roundSize !== undefined) await trainInRounds(executor, { ...job, tasks, demand }, roundSize);
  else await executor.train({ ...job, tasks });
  await demand?.finish();
  const trials = states();
  const { document, summary } = await conclude({ directory, trials, signal });
  durableWrite(join(directory, "result.json"), `${JSON.stringify(document)}\n`);
  durableWrite(join(directory, "summary.md"), summary);
  return { document, trials };
}

/** A killed controller may have started a run that its ledger does not know. The trial resumes it. */
async function adoptRuns(directory: string, trials: readonly Trial[], ledger: Ledger): Promise<void> {
  const missing = new Set(trials.map(({ trial }) => trial).filter((trial) => (ledger.of(trial)?.run ?? null) === null));
  for (const { manifest, directory: run } of await scanRuns(join(directory, runsFolder), noLockHolders)) {
    const trial = manifest && trialOfRun(manifest);
    if (trial !== undefined && missing.has(trial)) ledger.append({ trial, status: "lost", run: relative(directory, run) });
  }
}

/**
 * Train the needed trials of a sequential experiment in rounds, for an executor that cannot withdraw a trial. If a round leaves a trial without an end, the next
 * start continues.
 */
async function trainInRounds(executor: Executor, job: TrialJob & { demand: UntilDecided }, size: number): Promise<void> {
  const { demand, signal, failFast } = job;
  const ends = new Map<string, TrialEnd["kind"]>();
  const onEnd: JobListener["onEnd"] = (task, end) => {
    if (end.kind === "completed" || end.kind === "failed") ends.set(task.trial, end.kind);
    job.listener.onEnd(task, end);
  };
  const hasFailed = () => failFast && [...ends.values()].includes("failed");
  while (!signal.aborted && !hasFailed()) {
    await demand.settled();
    const needed = job.tasks.filter(({ trial }) => !demand.signalOf(trial).aborted && !ends.has(trial));
    const tasks = roundOf(needed, size);
    if (tasks.length === 0) return;
    await executor.train({ ...job, tasks, waiting: needed.filter((task) => !tasks.includes(task)), listener: { ...job.listener, onEnd } });
    if (tasks.some(({ trial }) => !ends.has(trial))) return;
  }
}

/** The first complete seeds of tasks: as many as fit into the size of a round, but at least one. */
function roundOf(tasks: readonly TrialTask[], size: number): TrialTask[] {
  const seeds = [...new Set(tasks.map(({ config }) => config.seed))];
  const fitting = seeds.filter((seed) => tasks.findLastIndex(({ config }) => config.seed === seed) < size);
  const chosen = fitting.length > 0 ? fitting : seeds.slice(0, 1);
  return tasks.filter(({ config }) => chosen.includes(config.seed));
}

/** Keeps the ledger of a plan during training and reports events. */
function recorder(directory: string, plan: Plan, ledger: Ledger, report: (event: TrialEvent) => void, signal: AbortSignal) {
  const newest = (trial: string) => ledger.of(trial);
  const states = (trials: readonly Trial[] = plan.trials): SweepTrial[] => trialStates(directory, trials, newest, () => true);
  const planned = new Map(plan.trials.map((trial) => [trial.trial, trial]));
  const stateOf = ({ trial }: TrialTask): SweepTrial => {
    const [state] = states([planned.get(trial) ?? []].flat());
    if (!state) throw new Error(`the plan has no trial ${trial}`);
    return state;
  };
  const relativeRun = (run: string | null) => (run === null ? null : relative(directory, run));
  const change = (trial: string, line: Pick<LedgerLine, "status" | "reason">) => {
    ledger.append({ trial, run: newest(trial)?.run ?? null, ...line });
    const [state] = states(plan.trials.filter((each) => each.trial === trial));
    if (state && line.status === "skipped") report({ kind: "ended", trial: state });
  };
  const { question } = plan;
  const hooks: DemandHooks = {
    states,
    skip: (trial, reason) => change(trial, { status: "skipped", reason }),
    plan: (trial) => change(trial, { status: "planned" }),
    report,
  };
  const demand = question && isSequential(plan) ? new UntilDecided(question, hooks, signal) : undefined;
  const listener: JobListener = {
    onStart(task, run, fromStep, worker) {
      ledger.append({ trial: task.trial, status: "running", run: relativeRun(run), worker });
      report({ kind: "started", trial: stateOf(task), fromStep });
    },
    onStep: (task, step, loss) => report({ kind: "step", trial: stateOf(task), step, loss }),
    onEnd(task, end) {
      ledger.append({ trial: task.trial, run: relativeRun(task.run), ...lineOfEnd(end) });
      const state = stateOf(task);
      report({ kind: "ended", trial: state });
      demand?.ended(state);
    },
  };
  return { states, listener, demand };
}

/** The trials left to train, in the plan's order; started ones come first, except in a sequential experiment, whose pairs count in that order. */
function tasksLeft(plan: Plan, states: readonly SweepTrial[], out: string, retry: boolean): TrialTask[] {
  const left = plan.trials.flatMap((trial, index) => {
    const state = states[index];
    return state && isLeft(state, retry) ? [{ ...taskOf(plan, trial, out), run: state.run }] : [];
  });
  if (isSequential(plan)) return left;
  return [...left.filter(({ run }) => run !== null), ...left.filter(({ run }) => run === null)];
}

/**
 * Carry out a plan and, in a search, each plan that follows from the results.
 * @param next plans again; undefined unless the plan is a search. A plan without a new trial ends the search.
 */
export async function conductRounds<SomePlan extends Pick<Plan, "trials">, Document>(
  first: SomePlan,
  next: (() => Promise<SomePlan>) | undefined,
  conduct: (plan: SomePlan, isFirst: boolean) => Promise<ConductedPlan<Document>>,
  { signal, failFast = false }: { signal?: AbortSignal | undefined; failFast?: boolean | undefined },
): Promise<ConductedPlan<Document>> {
  let plan = first;
  let conducted = await conduct(plan, true);
  while (next && !signal?.aborted && !(failFast && conducted.trials.some(({ status }) => status === "failed"))) {
    const further = await next();
    if (further.trials.length === plan.trials.length) break;
    plan = further;
    conducted = await conduct(plan, false);
  }
  return conducted;
}

/** Whether a plan is an experiment that stops when it is decided. */
function isSequential({ question }: Pick<Plan, "question">): boolean {
  return question?.rules.sequential === true;
}
