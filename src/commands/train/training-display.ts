import type { StartedRun } from "../../bridge/started-run.js";
import type { TrainEvent, TrainEventOf } from "../../protocol/events.js";
import { stepMethodText } from "../../protocol/step-method.js";
import { costEstimate, type StepEnd, stepSeconds } from "../../runner/cost-estimate.js";
import { formatBytes } from "../../text/format-bytes.js";
import { createProgress, formatDuration, type Progress } from "../terminal/progress.js";
import { createStatusLine, type StatusLine } from "../terminal/status-line.js";
import type { Terminal } from "../terminal/terminal.js";
import { LiveMeasures } from "./live-measures.js";

/** Shows a training as it goes on, on stderr: what its start is at, a bar with its measures, or a line now and then; what it will cost; and alerts. */
export class TrainingDisplay {
  readonly #terminal: Terminal;
  readonly #steps: number;
  #run: StartedRun | undefined;
  #status: StatusLine | undefined;
  #progress: Progress | undefined;
  #analysis: Progress | undefined;
  #measures: LiveMeasures | undefined;
  #note = "";
  #isEstimated = false;
  /** Of the steps until the estimate, by the clock of their events. */
  readonly #stepEnds: StepEnd[] = [];

  constructor(terminal: Terminal, steps: number) {
    this.#terminal = terminal;
    this.#steps = steps;
  }

  /** Show what is under way before there is a run, with the time that it has taken. */
  onPhase(phase: string): void {
    this.#status ??= createStatusLine(this.#terminal);
    this.#status.show(phase, true);
  }

  onStart(run: StartedRun): void {
    this.stop();
    this.#run = run;
    this.#terminal.report({ type: "run", directory: run.directory, fromStep: run.fromStep, steps: this.#steps });
    if (this.#terminal.interactive) this.#measures = new LiveMeasures(run.directory);
    this.#progress = createProgress(this.#terminal, "Training", "steps", this.#steps, run.fromStep);
  }

  onEvent(event: TrainEvent): void {
    this.#terminal.report({ type: "train", event });
    if (event.type === "log" && !this.#measures) this.#note = `loss ${event.logs["loss"]?.toFixed(4) ?? "?"}`;
    if (event.type === "step_end") this.#step(event);
    if (event.type === "step_method") this.#stepMethod(event);
    if (event.type === "usage") this.#estimate(event);
    if (event.type === "alert") this.#terminal.say(this.#terminal.messageColor.yellow(`Alert at step ${event.global_step}: ${event.message}`));
    if (event.type === "train_end") this.stop();
  }

  /** Show the analysis that follows the training. */
  onAnalysis(done: number, states: number): void {
    this.#analysis ??= createProgress(this.#terminal, "Analysing", "states", states);
    this.#analysis.update(done);
  }

  stop(): void {
    this.#status?.stop();
    this.#status = undefined;
    this.#progress?.stop();
    this.#progress = undefined;
    this.#analysis?.stop();
    this.#analysis = undefined;
  }

  #step({ global_step: step, loss, mono }: TrainEventOf<"step_end">): void {
    if (!this.#isEstimated) this.#stepEnds.push([step, mono]);
    this.#measures?.take(step, loss);
    this.#progress?.update(step, this.#note, this.#measures && [this.#measures.line(this.#terminal.drawnWidth)]);
  }

  /** Compiling is no part of a step's time: rate and time left are measured again after it. */
  #stepMethod(event: TrainEventOf<"step_method">): void {
    const { method, seconds } = event;
    if (method !== "exact" || seconds !== null) this.#terminal.say(this.#terminal.messageColor.dim(methodText(event)));
    if (method !== "compiled" || seconds === null) return;
    this.#progress?.stop();
    this.#progress = createProgress(this.#terminal, "Training", "steps", this.#steps, event.global_step);
  }

  #estimate(usage: TrainEventOf<"usage">): void {
    const { global_step: step, mono, seconds: measured } = usage;
    if (this.#isEstimated || !this.#run || step <= this.#run.fromStep || step >= this.#steps) return;
    this.#isEstimated = true;
    const { directory, fromStep } = this.#run;
    const secondsPerStep = stepSeconds([fromStep, mono - measured], this.#stepEnds.splice(0));
    const { seconds, historyBytes, freeBytes } = costEstimate(directory, secondsPerStep, this.#steps - step);
    const space = `${formatBytes(historyBytes)} history (reserved), ${formatBytes(usage.peak_bytes)} memory; ${formatBytes(freeBytes)} of disk free`;
    this.#terminal.say(this.#terminal.messageColor.dim(`Estimate ≈ ${formatDuration(seconds)} to go, ${space}`));
  }
}

/** What is shown of a method; compiling is announced before it begins. */
function methodText(event: TrainEventOf<"step_method">): string {
  const isAnnounced = event.method === "compiled" && event.used && event.seconds === null;
  return isAnnounced ? "Compiling the step: up to a minute the first time, seconds when it was done before" : stepMethodText(event);
}
