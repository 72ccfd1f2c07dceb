import type { StartedRun } from "../../bridge/run-record.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { TrainEvent, TrainEventOf } from "../../protocol/events.js";
import { stepMethodText } from "../../protocol/step-method.js";
import { costEstimate, type StepEnd, stepSeconds } from "../../runner/cost-estimate.js";
import { readRunConfig } from "../../runs/run-config.js";
import { pruneFacts } from "../../sweep/prune/prune-facts.js";
import { formatBytes } from "../../text/format.js";
import { createProgress, createStatusLine, formatDuration, type Progress, type StatusLine } from "../terminal/progress.js";
import type { Terminal } from "../terminal/terminal.js";

const blocks = [..."▁▂▃▄▅▆▇█"];

/** Maximum number of stored values of a series: twice the width of a wide terminal. */
const maxStored = 256;

/** A growing series, drawn as a row of blocks from its lowest to its highest value. Each stored value is the mean of equally many pushed ones. */
export class Sparkline {
  #stored: number[] = [];
  #stride = 1;
  #open: number[] = [];

  /** Add a value unless it is not finite. */
  push(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#open.push(value);
    if (this.#open.length < this.#stride) return;
    this.#stored.push(mean(this.#open));
    this.#open = [];
    if (this.#stored.length < maxStored) return;
    this.#stored = bucketMeans(this.#stored, maxStored / 2);
    this.#stride *= 2;
  }

  /** The series in at most `width` blocks; empty for fewer than two values. */
  draw(width: number): string {
    if (this.#stored.length < 2) return "";
    const means = bucketMeans(this.#stored, Math.min(width, this.#stored.length));
    const low = Math.min(...means);
    const range = Math.max(...means) - low;
    return means.map((value) => blocks[range === 0 ? 0 : Math.round(((value - low) / range) * (blocks.length - 1))]).join("");
  }
}

/** The means of consecutive parts of a series of nearly equal length. */
function bucketMeans(values: readonly number[], buckets: number): number[] {
  const edge = (index: number) => Math.round((index * values.length) / buckets);
  return Array.from({ length: buckets }, (_, index) => mean(values.slice(edge(index), edge(index + 1))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Counting takes tens of milliseconds for a large vocabulary. */
const countEveryMs = 1000;
const widestChart = 24;
const narrowestChart = 4;
const gap = "   ";

type Measure = "loss" | "C" | "P";

/** Loss, C and P during a training, each with a small chart. C and P count recorded rows, and are omitted if none is recorded. */
export class LiveMeasures {
  readonly #directory: string;
  readonly #record: RunConfig["record"];
  readonly #charts = new Map<Measure, Sparkline>();
  readonly #newest = new Map<Measure, string>();
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(directory: string) {
    this.#directory = directory;
    this.#record = readRunConfig(directory).record;
  }

  /** Add the loss of a step, and at intervals the black holes after it. */
  take(step: number, loss: number): void {
    this.#push("loss", loss, loss.toFixed(4));
    const now = performance.now();
    if (now - this.#countedAt < countEveryMs) return;
    this.#countedAt = now;
    const holes = this.#count(step, loss);
    if (!holes) return;
    this.#push("C", holes.C, String(holes.C));
    this.#push("P", holes.P, String(holes.P));
  }

  /** `loss █▅▃▂▁ 3.4123   C ▁▁█ 2   P █▅▁ 53`, fitted to the columns if they leave room for the charts. */
  line(columns: number): string {
    const measures = [...this.#newest];
    const words = measures.reduce((sum, [name, newest]) => sum + name.length + newest.length + 2, gap.length * (measures.length - 1));
    const width = Math.min(widestChart, Math.max(narrowestChart, Math.floor((columns - words) / measures.length)));
    const chart = (name: Measure) => this.#charts.get(name)?.draw(width) ?? "";
    return measures.map(([name, newest]) => [name, chart(name), newest].filter((word) => word !== "").join(" ")).join(gap);
  }

  #push(name: Measure, value: number, newest: string): void {
    const chart = this.#charts.get(name) ?? new Sparkline();
    this.#charts.set(name, chart);
    chart.push(value);
    this.#newest.set(name, newest);
  }

  #count(step: number, loss: number): { C: number; P: number } | undefined {
    try {
      return pruneFacts(this.#directory, this.#record, step, 0, loss);
    } catch {
      return undefined; // a display must not end the training
    }
  }
}

/** Shows a training on stderr: phases of the start, a bar with measures or a line at intervals, a cost estimate, and alerts. */
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
  /** Steps before the estimate, with the clock of their events. */
  readonly #stepEnds: StepEnd[] = [];

  constructor(terminal: Terminal, steps: number) {
    this.#terminal = terminal;
    this.#steps = steps;
  }

  /** Show the phase before the run exists, with the elapsed time. */
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

  onAnalysis(done: number, states: number): void {
    this.#analysis ??= createProgress(this.#terminal, "Analysing", "states", states);
    this.#analysis.update(done);
  }

  stop(): void {
    for (const shown of [this.#status, this.#progress, this.#analysis]) shown?.stop();
    this.#status = undefined;
    this.#progress = undefined;
    this.#analysis = undefined;
  }

  #step({ global_step: step, loss, mono }: TrainEventOf<"step_end">): void {
    if (!this.#isEstimated) this.#stepEnds.push([step, mono]);
    this.#measures?.take(step, loss);
    this.#progress?.update(step, this.#note, this.#measures && [this.#measures.line(this.#terminal.drawnWidth)]);
  }

  #stepMethod(event: TrainEventOf<"step_method">): void {
    if (event.method !== "exact" || event.seconds !== null) this.#terminal.say(this.#terminal.messageColor.dim(stepMethodText(event)));
  }

  #estimate(usage: TrainEventOf<"usage">): void {
    const { global_step: step, mono, seconds: measured } = usage;
    if (this.#isEstimated || !this.#run || step <= this.#run.fromStep || step >= this.#steps) return;
    this.#isEstimated = true;
    const { directory, fromStep } = this.#run;
    const secondsPerStep = stepSeconds([fromStep, mono - measured], this.#stepEnds.splice(0));
    const { seconds, historyBytes, weightBytes, freeBytes } = costEstimate(directory, secondsPerStep, this.#steps - step);
    const weights = weightBytes > 0 ? `, ${formatBytes(weightBytes)} weights of all steps` : "";
    const space = `${formatBytes(historyBytes)} history (reserved)${weights}, ${formatBytes(usage.peak_bytes)} memory; ${formatBytes(freeBytes)} of disk space free`;
    this.#terminal.say(this.#terminal.messageColor.dim(`Estimate ≈ ${formatDuration(seconds)} left, ${space}`));
  }
}
