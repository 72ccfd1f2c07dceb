import type { StartedRun } from "../../bridge/started-run.js";
import type { TrainEvent } from "../../protocol/events.js";
import { costEstimate } from "../../runner/cost-estimate.js";
import { formatBytes } from "../../text/format-bytes.js";
import { createProgress, formatDuration, type Progress } from "../terminal/progress.js";
import { createStatusLine, type StatusLine } from "../terminal/status-line.js";
import type { Terminal } from "../terminal/terminal.js";

/** Shows a training as it goes on, on stderr: what its start is at, a bar, or a line now and then; what it will cost; and alerts. */
export class TrainingDisplay {
  readonly #terminal: Terminal;
  readonly #steps: number;
  #run: StartedRun | undefined;
  #status: StatusLine | undefined;
  #progress: Progress | undefined;
  #analysis: Promise<Progress> | undefined;
  #note = "";
  #isEstimated = false;

  constructor(terminal: Terminal, steps: number) {
    this.#terminal = terminal;
    this.#steps = steps;
  }

  /** Show what is under way before there is a run, with the time that it has taken. */
  onPhase(phase: string): void {
    this.#status ??= createStatusLine(this.#terminal);
    this.#status.show(phase, true);
  }

  async onStart(run: StartedRun): Promise<void> {
    this.#run = run;
    await this.#start(run.fromStep);
  }

  onEvent(event: TrainEvent): void {
    if (event.type === "log") this.#note = `loss ${event.logs["loss"]?.toFixed(4) ?? "?"}`;
    if (event.type === "step_end") this.#progress?.update(event.global_step, this.#note);
    if (event.type === "usage") this.#estimate(event);
    if (event.type === "alert") this.#interject(this.#terminal.messageColor.yellow(`Alert at step ${event.global_step}: ${event.message}`), event.global_step);
    if (event.type === "train_end") void this.stop();
  }

  /** Show the analysis that follows the training. */
  async onAnalysis(done: number, states: number): Promise<void> {
    this.#analysis ??= createProgress(this.#terminal, "Analysing", "states", states);
    (await this.#analysis).update(done);
  }

  async stop(): Promise<void> {
    this.#status?.stop();
    this.#status = undefined;
    this.#progress?.stop();
    this.#progress = undefined;
    (await this.#analysis)?.stop();
    this.#analysis = undefined;
  }

  async #start(done: number): Promise<void> {
    this.#progress = await createProgress(this.#terminal, "Training", "steps", this.#steps, done);
  }

  #estimate(usage: Extract<TrainEvent, { type: "usage" }>): void {
    const { global_step: step } = usage;
    if (this.#isEstimated || !this.#run || step <= this.#run.fromStep || step >= this.#steps) return;
    this.#isEstimated = true;
    const { directory, fromStep } = this.#run;
    const { seconds, historyBytes, freeBytes } = costEstimate(directory, usage, this.#steps - step, step - fromStep);
    const space = `${formatBytes(historyBytes)} history (reserved), ${formatBytes(usage.peak_bytes)} memory; ${formatBytes(freeBytes)} of disk free`;
    this.#interject(this.#terminal.messageColor.dim(`Estimate ≈ ${formatDuration(seconds)} to go, ${space}`), step);
  }

  /** A line above the bar. */
  #interject(line: string, step: number): void {
    void this.stop();
    this.#terminal.say(line);
    void this.#start(step);
  }
}
