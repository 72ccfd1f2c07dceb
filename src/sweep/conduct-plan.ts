import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { durableWrite } from "../formats/durable-write.js";
import { lockDirectory } from "../python/lock-holders.js";
import type { UsablePython } from "../python/require-packages.js";
import { trialOfRun } from "../runs/run-config.js";
import { noLockHolders, scanRuns } from "../runs/scan-runs.js";
import type { Executor, JobListener } from "./executors/executor.js";
import { type ExecutorChoice, settleEarlierJobs } from "./executors/executors.js";
import { isLeft, Ledger, type LedgerLine, lineOfEnd } from "./ledger.js";
import type { Plan } from "./plan/plan.js";
import { memoryOf, planCost, requireRoom } from "./plan/plan-cost.js";
import { createPlanDirectory, findPlanDirectory, replacePlan } from "./plan/plan-directory.js";
import type { Trial } from "./plan/plan-trials.js";
import { requireStacks, taskOf } from "./plan/trial-label.js";
import { inStacks, sideBySide, type TrialEnd, type TrialTask } from "./pool/trial-task.js";
import { type SweepTrial, type TrialEvent, trialStates } from "./sweep-document.js";

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

/** The document and the summary page of a plan whose trials have ended. */
interface Conclusion<Document> {
  document: Document;
  summary: string;
}

interface EndedPlan {
  directory: string;
  trials: SweepTrial[];
  signal: AbortSignal;
}

export type Conclude<Document> = (ended: EndedPlan) => Conclusion<Document> | Promise<Conclusion<Document>>;

export interface ConductedPlan<Document> {
  document: Document;
  trials: SweepTrial[];
}

const runsFolder = "runs";

/**
 * Train the missing trials of a plan in its directory, which an earlier start may have created, and write the result there.
 * @param conclude called once all trials have ended, with the directory still locked.
 * @throws {BhBridgeError} `RUN_LOCKED` when another process trains this plan, `DISK_FULL` before anything starts, `FILE_UNWRITABLE`, `USAGE` for incomplete
 * batches.
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
  tell: (event: TrialEvent) => void,
  conclude: Conclude<Document>,
): Promise<ConductedPlan<Document>> {
  requireStacks(plan.trials, executor);
  const directory = findPlanDirectory(out, plan).same ?? createPlanDirectory(out, plan);
  await using _lock = await lockDirectory(python.path, directory);
  using ledger = new Ledger(directory);
  await settleEarlierJobs({ directory, ledger, executor: executor.name, signal });
  mkdirSync(join(directory, runsFolder), { recursive: true });
  await adoptRuns(directory, plan.trials, ledger);
  const book = new Book(directory, plan, ledger, tell);
  requireRoom(planCost(directory, plan.trials, book.states(), { workers, retry }), memoryOf(executor));
  replacePlan(directory, plan);
  const tasks = book.tasks(retry);
  const steps = Object.fromEntries(tasks.map(({ trial, config }) => [trial, config.training.max_steps]));
  const together = sideBySide(inStacks(tasks), workers);
  tell({ kind: "planned", name: plan.name, directory, workers: together, trials: book.states(), steps });
  await executor.train({ directory, name: plan.name, tasks, machine: plan.machine, workers, listener: book, signal, failFast });
  const trials = book.states();
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

/** Keeps the ledger of a plan during training and reports events. */
class Book implements JobListener {
  readonly #directory: string;
  readonly #plan: Plan;
  readonly #trials: ReadonlyMap<string, Trial>;
  readonly #ledger: Ledger;
  readonly #tell: (event: TrialEvent) => void;

  constructor(directory: string, plan: Plan, ledger: Ledger, tell: (event: TrialEvent) => void) {
    this.#directory = directory;
    this.#plan = plan;
    this.#trials = new Map(plan.trials.map((trial) => [trial.trial, trial]));
    this.#ledger = ledger;
    this.#tell = tell;
  }

  states(trials: readonly Trial[] = this.#plan.trials): SweepTrial[] {
    return trialStates(
      this.#directory,
      trials,
      (trial) => this.#ledger.of(trial),
      () => true,
    );
  }

  /** The trials left to train, in the plan's order; started ones come first. */
  tasks(retry: boolean): TrialTask[] {
    const states = this.states();
    const left = this.#plan.trials.flatMap((trial, index) => {
      const state = states[index];
      return state && isLeft(state, retry) ? [{ trial, run: state.run }] : [];
    });
    const begun = left.filter(({ run }) => run !== null);
    const out = join(this.#directory, runsFolder);
    return [...begun, ...left.filter(({ run }) => run === null)].map(({ trial, run }) => ({ ...taskOf(this.#plan, trial, out), run }));
  }

  onStart(task: TrialTask, run: string, fromStep: number, worker: LedgerLine["worker"]): void {
    this.#ledger.append({ trial: task.trial, status: "running", run: relative(this.#directory, run), ...(worker && { worker }) });
    this.#tell({ kind: "started", trial: this.#stateOf(task), fromStep });
  }

  onStep(task: TrialTask, step: number, loss: number): void {
    this.#tell({ kind: "step", trial: this.#stateOf(task), step, loss });
  }

  onEnd(task: TrialTask, end: TrialEnd): void {
    const run = task.run === null ? null : relative(this.#directory, task.run);
    this.#ledger.append({ trial: task.trial, run, ...lineOfEnd(end) });
    this.#tell({ kind: "ended", trial: this.#stateOf(task) });
  }

  #stateOf({ trial }: TrialTask): SweepTrial {
    const planned = this.#trials.get(trial);
    const [state] = planned ? this.states([planned]) : [];
    if (!state) throw new Error(`the plan has no trial ${trial}`);
    return state;
  }
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
