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

/** So many values are kept of a series, however long it grows: twice what a wide terminal shows. */
const maxKept = 256;

/** A series that grows, drawn in a row of blocks from its lowest value to its highest. Each value kept stands for equally many of those that came. */
export class Sparkline {
  #kept: number[] = [];
  #stride = 1;
  #open: number[] = [];

  /** Take the next value; one that is not finite is left out. */
  push(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#open.push(value);
    if (this.#open.length < this.#stride) return;
    this.#kept.push(mean(this.#open));
    this.#open = [];
    if (this.#kept.length < maxKept) return;
    this.#kept = bucketMeans(this.#kept, maxKept / 2);
    this.#stride *= 2;
  }

  /** The whole series in at most `width` blocks; nothing before two values came. */
  draw(width: number): string {
    if (this.#kept.length < 2) return "";
    const means = bucketMeans(this.#kept, Math.min(width, this.#kept.length));
    const low = Math.min(...means);
    const range = Math.max(...means) - low;
    return means.map((value) => blocks[range === 0 ? 0 : Math.round(((value - low) / range) * (blocks.length - 1))]).join("");
  }
}

/** The means of so many neighbouring parts of a series, as equal in length as can be. */
function bucketMeans(values: readonly number[], buckets: number): number[] {
  const edge = (index: number) => Math.round((index * values.length) / buckets);
  return Array.from({ length: buckets }, (_, index) => mean(values.slice(edge(index), edge(index + 1))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Black holes of a large vocabulary are counted in tens of milliseconds: once a second is enough to see them come and go, and costs nothing. */
const countEveryMs = 1000;
const widestCourse = 24;
const narrowestCourse = 4;
const gap = "   ";

/** What is shown of a training, in its order. */
type Measure = "loss" | "C" | "P";

/** Loss, C and P of a training as it goes on, each with its course so far. C and P are those of the recorded rows, and left out where no row is recorded. */
export class LiveMeasures {
  readonly #directory: string;
  readonly #record: RunConfig["record"];
  readonly #courses = new Map<Measure, Sparkline>();
  readonly #newest = new Map<Measure, string>();
  #countedAt = Number.NEGATIVE_INFINITY;

  /** @param directory of the run. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#record = readRunConfig(directory).record;
  }

  /** Take the loss of a step, and now and then count the black holes after it. */
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

  /** `loss █▅▃▂▁ 3.4123   C ▁▁█ 2   P █▅▁ 53`, in so many columns where that leaves each course a few. */
  line(columns: number): string {
    const measures = [...this.#newest];
    const words = measures.reduce((sum, [name, newest]) => sum + name.length + newest.length + 2, gap.length * (measures.length - 1));
    const width = Math.min(widestCourse, Math.max(narrowestCourse, Math.floor((columns - words) / measures.length)));
    const course = (name: Measure) => this.#courses.get(name)?.draw(width) ?? "";
    return measures.map(([name, newest]) => [name, course(name), newest].filter((word) => word !== "").join(" ")).join(gap);
  }

  #push(name: Measure, value: number, newest: string): void {
    const course = this.#courses.get(name) ?? new Sparkline();
    this.#courses.set(name, course);
    course.push(value);
    this.#newest.set(name, newest);
  }

  /** Nothing where no embedding is recorded, or it cannot be read just now: what is shown must not end a training. */
  #count(step: number, loss: number): { C: number; P: number } | undefined {
    try {
      return pruneFacts(this.#directory, this.#record, step, 0, loss);
    } catch {
      return undefined;
    }
  }
}

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
