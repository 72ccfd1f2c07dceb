import { relative } from "node:path";
import { hasEnded } from "../../sweep/ledger.js";
import { distinctLabels, trialLabel } from "../../sweep/plan/trial-label.js";
import { countTrials, type PlannedEvent, type SweepTrial, type TrialEvent } from "../../sweep/sweep-document.js";
import { shellQuote } from "../../text/escaping.js";
import { count, groupDigits } from "../../text/format.js";
import { formatDuration } from "../terminal/progress.js";
import { type Terminal, terminalColors } from "../terminal/terminal.js";
import { formatCounts } from "./format-sweep.js";

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
    if (running && trial.status === "lost") this.#stepsLeft += running.step; // the next start reports how much is kept
    this.#running.delete(trial.trial);
    this.#trials.set(trial.trial, trial);
    if (trial.status === "failed" || trial.status === "lost") this.#reportTrouble(trial);
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
    this.#terminal.redraw([this.#headline(), ...this.#runningLines(), ...this.#noteworthy()]);
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

/** Lines that are cut to the terminal's width have no colours, as their ends might be cut. */
const plain = terminalColors(false);
