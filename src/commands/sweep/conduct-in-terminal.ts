import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { exitCodes } from "../../errors.js";
import type { UsablePython } from "../../python/require-packages.js";
import { sharedPitfalls } from "../../runner/pitfalls.js";
import { type Conclude, conductPlan, conductRounds } from "../../sweep/conduct-plan.js";
import type { Executor } from "../../sweep/executors/executor.js";
import { chooseExecutor, type ExecutorName } from "../../sweep/executors/executors.js";
import { isLeft } from "../../sweep/ledger.js";
import type { Plan } from "../../sweep/plan/plan.js";
import { findPlanDirectory } from "../../sweep/plan/plan-directory.js";
import { previewPlan } from "../../sweep/plan/preview-plan.js";
import { stackOnCpu } from "../../sweep/plan/trial-label.js";
import type { SweepTrial } from "../../sweep/sweep-document.js";
import { PageBeside } from "../serve/page-beside.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { reportPitfalls } from "../train/run-in-terminal.js";
import { formatPreview } from "./format-sweep.js";
import { SweepDisplay } from "./sweep-display.js";
import { choiceOf, type TrialOptionValues, workersOf } from "./trial-options.js";

/** A command over many runs: how to plan them, conclude from them, and format the result. */
export interface Conducted<SomePlan extends Plan, Document extends { schema: string }> {
  base: ResolvedConfig;
  executor?: ExecutorName | undefined;
  plan(executor: Executor, signal: AbortSignal, python: UsablePython): Promise<SomePlan>;
  isSearch?: boolean;
  conclude(plan: SomePlan, python: UsablePython): Conclude<Document>;
  format(document: Document): string;
}

/** Train many runs with progress on stderr, and print the result or one document on stdout. */
export async function conductInTerminal<SomePlan extends Plan, Document extends { schema: string }>(
  { base, executor: written, plan: planned, isSearch = false, conclude, format }: Conducted<SomePlan, Document>,
  options: TrialOptionValues,
  terminal: Terminal,
): Promise<void> {
  const { out, python: interpreter, retry, failFast, serve, dryRun } = options;
  const workers = workersOf(options);
  let stopping = "Stopping after these steps, with checkpoints; the same command continues";
  using stop = stopOnSignal(terminal, { stopping: () => stopping });
  const { signal } = stop;
  const configured = base.config.python === undefined ? {} : { config: base.config.python };
  const python = await ensurePython(interpreter === undefined ? configured : { python: interpreter }, terminal, signal);
  const executor = await chooseExecutor(await choiceOf(options, written), python);
  stopping = executor.stopping ?? stopping;
  const planAgain = () => planned(executor, signal, python);
  const plan = await planAgain();
  const note = stackOnCpu(plan);
  if (note !== undefined) terminal.say(note);
  reportPitfalls(sharedPitfalls(plan.trials.map(({ config }) => config)), terminal);
  if (dryRun) {
    const preview = await previewPlan(plan, python, executor, { out, workers: workers ?? plan.machine.cores, retry, signal });
    terminal.print(formatPreview(preview, terminal.color, terminal.width));
    terminal.document(preview);
    return;
  }
  const { same, other } = findPlanDirectory(out, plan);
  if (same === undefined && other !== undefined) terminal.say(`Base or rules differ from those of ${other}: using a new directory`);
  await using page = new PageBeside(out, terminal);
  if (serve) await page.start();
  const display = new SweepDisplay(terminal);
  try {
    const conduct = (round: SomePlan, isFirst: boolean) =>
      conductPlan(
        round,
        python,
        executor,
        { out, workers, retry: retry && isFirst, failFast, signal },
        (event) => display.onEvent(event),
        conclude(round, python),
      );
    const { document, trials } = await conductRounds(plan, isSearch ? planAgain : undefined, conduct, { signal, failFast });
    display.stop();
    terminal.print(format(document));
    terminal.document(document);
    if (executor.parting !== undefined && !signal.aborted) return terminal.say(executor.parting);
    process.exitCode = exitCodeOf(trials, signal);
    if (process.exitCode === exitCodes.ok || !trials.some((trial) => isLeft(trial, true))) return;
    const hasFailed = trials.some(({ status, result }) => status === "failed" && result === null);
    terminal.say(`Continue:  the same command${hasFailed ? ", with --retry to train the failed trials again" : ""}`);
  } finally {
    display.stop();
  }
}

function exitCodeOf(trials: readonly SweepTrial[], { aborted }: AbortSignal): number {
  if (aborted) return exitCodes.sigint;
  const isDone = trials.every(({ status }) => status === "completed" || status === "pruned");
  return isDone ? exitCodes.ok : exitCodes.sweepPartlyFailed;
}
