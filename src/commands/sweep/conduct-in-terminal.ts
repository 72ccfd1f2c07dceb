import { relative } from "node:path";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { exitCodes } from "../../errors.js";
import type { UsablePython } from "../../python/require-packages.js";
import { sharedPitfalls } from "../../runner/train-result.js";
import { type Conclude, conductPlan, conductRounds } from "../../sweep/conduct-plan.js";
import type { Executor } from "../../sweep/executors/executor.js";
import { chooseExecutor, type ExecutorName } from "../../sweep/executors/executors.js";
import { shownE } from "../../sweep/experiment/sequential.js";
import { hasEnded, isLeft } from "../../sweep/ledger.js";
import type { Plan } from "../../sweep/plan/plan.js";
import { findPlanDirectory } from "../../sweep/plan/plan-directory.js";
import { previewPlan } from "../../sweep/plan/preview-plan.js";
import { distinctLabels, trialLabel } from "../../sweep/plan/trial-label.js";
import { countTrials, type JudgedEvent, type PlannedEvent, type SweepTrial, type TrialEvent } from "../../sweep/sweep-document.js";
import { printable, shellQuote } from "../../text/escaping.js";
import { count, groupDigits } from "../../text/format.js";
import { PageBeside } from "../serve/page-beside.js";
import { ensurePython } from "../setup/ensure-python.js";
import { formatDuration } from "../terminal/progress.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import { optionalNumber } from "../terminal/target.js";
import { type Terminal, terminalColors } from "../terminal/terminal.js";
import { reportPitfalls } from "../train/run-in-terminal.js";
import { formatCounts, formatPreview } from "./format-sweep.js";
import { choiceOf, type TrialOptionValues } from "./trial-options.js";

/** Minimum time between plain lines where nothing can be redrawn. */
const plainLineEveryMs = 30_000;
const redrawEveryMs = 500;
const maxShown = 12;
const shownReasonLines = 6;

type Running = { trial: SweepTrial; fromStep: number; step: number; steps: number; loss: number; since: number };

/** Shows a sweep on stderr: one screen on a terminal, a line at intervals elsewhere, and failures when they happen. */
export class SweepDisplay {
  readonly #terminal: Terminal;
  readonly #trials = new Map<string, SweepTrial>();
  readonly #running = new Map<string, Running>();
  /** Steps of trials that were stopped or skipped, which are not left. */
  readonly #stopped = new Map<string, number>();
  readonly #judged = new Map<string, JudgedEvent>();
  #steps: PlannedEvent["steps"] = {};
  #labelOf = distinctLabels([]);
  #stepsLeft = 0;
  #stepsTaken = 0;
  #startedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  onEvent(event: TrialEvent): void {
    this.#terminal.report({ type: "trial", event });
    if (event.kind === "planned") this.#begin(event);
    else if (event.kind === "started") this.#start(event);
    else if (event.kind === "step") this.#step(event);
    else if (event.kind === "judged") this.#judge(event);
    else this.#end(event.trial);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#terminal.redraw([]);
  }

  #begin({ name, directory, workers, trials, steps }: PlannedEvent): void {
    for (const trial of trials) this.#trials.set(trial.trial, trial);
    this.#steps = steps;
    this.#labelOf = distinctLabels(trials);
    const left = Object.values(steps);
    this.#stepsLeft = left.reduce((sum, each) => sum + each, 0);
    const path = relative(process.cwd(), directory) || ".";
    const begins = left.length === 0 ? "no trials left to train" : `${count(left.length, "trial")} to train, ${workers} at a time`;
    this.#terminal.say(`${name}: ${count(trials.length, "trial")} in ${path}; ${begins}`);
    const { interactive, progress, quiet } = this.#terminal;
    if (left.length === 0 || quiet || progress === "json" || progress === "none") return;
    this.#timer = setInterval(() => (interactive ? this.#draw() : this.#terminal.say(this.#headline())), interactive ? redrawEveryMs : plainLineEveryMs);
    this.#timer.unref();
  }

  #start({ trial, fromStep }: Extract<TrialEvent, { kind: "started" }>): void {
    this.#startedAt ??= performance.now();
    const steps = this.#steps[trial.trial] ?? 0;
    this.#stepsLeft -= fromStep;
    this.#trials.set(trial.trial, trial);
    this.#running.set(trial.trial, { trial, fromStep, step: fromStep, steps, loss: Number.NaN, since: performance.now() });
  }

  #step({ trial, step, loss }: Extract<TrialEvent, { kind: "step" }>): void {
    const running = this.#running.get(trial.trial);
    if (!running) return;
    this.#advance(running, step);
    running.loss = loss;
  }

  #end(trial: SweepTrial): void {
    const running = this.#running.get(trial.trial);
    if (running && trial.status === "completed") this.#advance(running, running.steps);
    if (running && (trial.status === "pruned" || trial.status === "failed")) this.#stepsLeft -= running.steps - running.step;
    if (trial.status === "skipped") {
      const steps = this.#steps[trial.trial] ?? 0;
      this.#stepsLeft -= steps - (this.#stopped.get(trial.trial) ?? 0);
      this.#stopped.set(trial.trial, steps);
    }
    if (running && trial.status === "planned") this.#stopped.set(trial.trial, running.step);
    if (running && trial.status === "lost") this.#stepsLeft += running.step; // the next start reports how much is kept
    this.#running.delete(trial.trial);
    this.#trials.set(trial.trial, trial);
    if (trial.status === "failed" || trial.status === "lost") this.#reportTrouble(trial);
  }

  #judge(judged: JudgedEvent): void {
    this.#judged.set(judged.arm, judged);
    if (!this.#terminal.interactive && this.#timer !== undefined) this.#terminal.say(judgedLine(judged));
  }

  #advance(running: Running, step: number): void {
    this.#stepsTaken += step - running.step;
    this.#stepsLeft -= step - running.step;
    running.step = step;
  }

  #reportTrouble({ trial, arm, status, set, reason, run }: SweepTrial): void {
    const { messageColor: color } = this.#terminal;
    const label = `${trialLabel({ arm, set })} (${trial})`;
    const title = status === "failed" ? color.red(`Failed: ${label}`) : color.yellow(`Lost, will resume: ${label}`);
    const [first = "", ...others] = (reason ?? "").split("\n");
    const shown = [first, ...others.slice(-shownReasonLines)].map((line) => `  ${line}`);
    const alone = status === "failed" && run !== null ? [`  Alone:  bh-bridge train -c ${shellQuote(relative(process.cwd(), run))}`] : [];
    this.#terminal.say([title, ...shown, ...alone].join("\n"));
    if (this.#terminal.interactive) this.#draw();
  }

  #draw(): void {
    this.#terminal.redraw([
      this.#headline(),
      ...[...this.#judged.values()].map((each) => `  ${judgedLine(each)}`),
      ...this.#runningLines(),
      ...this.#noteworthy(),
    ]);
  }

  /** `12 of 40 trials ended: 11 completed, 1 failed, 4 running; 35.2 steps/s, 3 min 05 s left`. */
  #headline(): string {
    const trials = [...this.#trials.values()];
    const done = trials.filter(({ status }) => hasEnded(status)).length;
    const seconds = this.#startedAt === undefined ? 0 : (performance.now() - this.#startedAt) / 1000;
    const rate = seconds > 0 ? this.#stepsTaken / seconds : 0;
    const speed = rate > 0 ? `; ${rate.toPrecision(3)} steps/s, ${formatDuration(this.#stepsLeft / rate)} left` : "";
    return `${groupDigits(done)} of ${count(trials.length, "trial")} ended: ${formatCounts(countTrials(trials), plain)}${speed}`;
  }

  #runningLines(): string[] {
    const running = [...this.#running.values()];
    const lines = running.slice(0, maxShown).map(({ trial, fromStep, step, steps, loss, since }) => {
      const rate = (step - fromStep) / ((performance.now() - since) / 1000);
      const left = rate > 0 ? `, ${rate.toPrecision(3)}/s, ${formatDuration((steps - step) / rate)} left` : "";
      return `  ${this.#label(trial)}  ${groupDigits(step)} of ${groupDigits(steps)}${left}${Number.isFinite(loss) ? `, loss ${loss.toFixed(4)}` : ""}`;
    });
    return running.length > maxShown ? [...lines, `  … and ${running.length - maxShown} more`] : lines;
  }

  /** A label for half of the line. A shortened one starts with the identity, so that labels differ. */
  #label(trial: SweepTrial): string {
    const label = this.#labelOf(trial);
    const room = Math.floor(this.#terminal.drawnWidth / 2);
    return label.length <= room ? label : `${trial.trial.slice(0, 8)} ${label.slice(0, Math.max(0, room - 10))}…`;
  }

  /** The best result so far, and the number of unusual ones. */
  #noteworthy(): string[] {
    const ended = [...this.#trials.values()].flatMap((trial) => (trial.result ? [{ trial, result: trial.result }] : []));
    const withLoss = ended.flatMap(({ trial, result }) => (result.finalLoss === null ? [] : [{ trial, loss: result.finalLoss }]));
    const best = withLoss.reduce<(typeof withLoss)[number] | undefined>((low, each) => (low && low.loss <= each.loss ? low : each), undefined);
    const odd = ended.filter(({ result }) => !result.finite || result.verdict.result === "degenerate").length;
    const positive = ended.filter(({ result }) => result.verdict.result === "positive").length;
    return [
      ...(best ? [`  lowest loss ${best.loss.toFixed(4)}  ${this.#label(best.trial)}`] : []),
      ...(positive > 0 ? [`  ${groupDigits(positive)} of ${count(ended.length, "result")} positive`] : []),
      ...(odd > 0 ? [`  ${count(odd, "result")} not finite or degenerate`] : []),
    ];
  }
}

/** `rmsnorm: 7 of at most 40 pairs, e = 4.2 for a difference, 0.3 for null, 20 needed`. */
function judgedLine({ arm, pairs, maximum, e, threshold, eNull, state, result }: JudgedEvent): string {
  const end = state === "undecided" ? "" : `: ${result ?? (state === "hopeless" ? "further pairs cannot decide" : "inconclusive")}`;
  const shown = eNull > 0 ? `${shownE(e)} for a difference, ${shownE(eNull)} for null` : shownE(e);
  return `${printable(arm)}: ${pairs} of at most ${count(maximum, "pair")}, e = ${shown}, ${Number(threshold.toPrecision(3))} needed${end}`;
}

/** Lines that are cut to the terminal's width have no colours, as their ends might be cut. */
const plain = terminalColors(false);

/** A command over many runs: how to plan them, conclude from them, and format the result. */
export interface Conducted<SomePlan extends Plan, Document extends { schema: string }> {
  base: ResolvedConfig;
  executor?: ExecutorName | undefined;
  plan(executor: Executor, signal: AbortSignal, python: UsablePython): Promise<SomePlan>;
  isSearch?: boolean;
  /** The document that a dry run prints instead of the plan, from an earlier start. */
  earlier?(plan: SomePlan): Document | undefined;
  conclude(plan: SomePlan, python: UsablePython): Conclude<Document>;
  format(document: Document): string;
}

/** Train many runs with progress on stderr, and print the result or one document on stdout. */
export async function conductInTerminal<SomePlan extends Plan, Document extends { schema: string }>(
  { base, executor: written, plan: planned, isSearch = false, earlier, conclude, format }: Conducted<SomePlan, Document>,
  options: TrialOptionValues,
  terminal: Terminal,
): Promise<void> {
  const { out, python: interpreter, retry, failFast, serve, dryRun } = options;
  const workers = optionalNumber("--workers", options.workers);
  let stopping = "Stopping after these steps, with checkpoints; the same command continues";
  using stop = stopOnSignal(terminal, { stopping: () => stopping });
  const { signal } = stop;
  const configured = base.config.python === undefined ? {} : { config: base.config.python };
  const python = await ensurePython(interpreter === undefined ? configured : { python: interpreter }, terminal, signal);
  const executor = await chooseExecutor(await choiceOf(options, written), python);
  stopping = executor.stopping ?? stopping;
  const planAgain = () => planned(executor, signal, python);
  const plan = await planAgain();
  reportPitfalls(sharedPitfalls(plan.trials.map(({ config }) => config)), terminal);
  const known = dryRun ? earlier?.(plan) : undefined;
  if (known) {
    terminal.print(format(known));
    terminal.document(known);
    return;
  }
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
  const isDone = trials.every(({ status }) => status === "completed" || status === "pruned" || status === "skipped");
  return isDone ? exitCodes.ok : exitCodes.sweepPartlyFailed;
}
