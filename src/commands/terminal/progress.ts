import { groupDigits, threeDigits } from "../../text/format.js";
import type { Terminal } from "./terminal.js";

/** Progress of one long task on stderr. */
export interface Progress extends Disposable {
  /** Report the finished units, a short note (a loss, a file name), and lines that a terminal shows below. */
  update(done: number, note?: string, below?: readonly string[]): void;
  stop(): void;
}

/** Minimum time between plain lines: frequent enough to show progress, rare enough for a log file. */
const plainLineEveryMs = 30_000;
const redrawEveryMs = 125;
const jsonLineEveryMs = 1000;
/** On fewer columns the bar is shorter, to leave room for rate and time left. */
const wideColumns = 79;
const longBar = 24;
const shortBar = 8;
/** Window of the rate, so that it follows a machine that slows down. */
const rateWindowMs = 30_000;

/** Units per second over the last window, without units that were done before (by a resumed run). */
class Rate {
  readonly #marks: { at: number; done: number }[] = [];

  mark(done: number): number | undefined {
    const now = performance.now();
    this.#marks.push({ at: now, done });
    while (this.#marks.length > 2 && (this.#marks[1]?.at ?? now) < now - rateWindowMs) this.#marks.shift();
    const first = this.#marks[0];
    return first && now > first.at && done > first.done ? ((done - first.done) * 1000) / (now - first.at) : undefined;
  }
}

/** A duration as `42 s`, `3 min 05 s` or `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function describe(label: string, unit: string, done: number, total: number, rate: number | undefined, note: string): string {
  const speed = rate === undefined ? "" : `, ${threeDigits(rate)} ${unit}/s, ${formatDuration((total - done) / rate)} left`;
  return `${label}: ${groupDigits(done)} of ${groupDigits(total)} ${unit} (${Math.floor((100 * done) / total)} %)${speed}${note && `, ${note}`}`;
}

/** `Training ████░░░░ 34 % 340/1,000 steps 12.1/s 55 s left loss 3.4120`. */
function barLine(columns: number, label: string, unit: string, done: number, total: number, rate: number | undefined, note: string): string {
  const size = columns < wideColumns ? shortBar : longBar;
  const filled = Math.min(size, Math.floor((size * done) / total));
  const bar = "█".repeat(filled) + "░".repeat(size - filled);
  const speed = rate === undefined ? [] : [`${rate.toPrecision(3)}/s`, `${formatDuration((total - done) / rate)} left`];
  return [label, bar, `${Math.floor((100 * done) / total)}%`, `${done}/${total}`, unit, ...speed, note].join(" ").trimEnd();
}

const nothing = () => undefined;
const silent: Progress = { update: nothing, stop: nothing, [Symbol.dispose]: nothing };

function progressLines(terminal: Terminal, task: string, unit: string, total: number, start: number): Progress {
  let reportedAt = Number.NEGATIVE_INFINITY;
  const update = (done: number) => {
    if (done < total && performance.now() - reportedAt < jsonLineEveryMs) return;
    reportedAt = performance.now();
    terminal.report({ type: "progress", task, unit, done, total });
  };
  update(start);
  return { ...silent, update };
}

/**
 * Show the progress of a task of `total` units: a bar with rate and time left on a terminal, a plain line every 30 s elsewhere, or as `--progress` sets.
 * @param start units that were done before; they do not count for the rate.
 */
export function createProgress(terminal: Terminal, label: string, unit: string, total: number, start = 0): Progress {
  if (terminal.progress === "json") return progressLines(terminal, label, unit, total, start);
  if (terminal.progress === "none") return silent;
  const { interactive } = terminal;
  const rate = new Rate();
  rate.mark(start);
  let shownAt = interactive ? Number.NEGATIVE_INFINITY : performance.now();
  const update = (done: number, note = "", below: readonly string[] = []) => {
    const now = performance.now();
    if (now - shownAt < (interactive ? redrawEveryMs : plainLineEveryMs)) return;
    shownAt = now;
    const speed = rate.mark(done);
    if (interactive) terminal.redraw([barLine(terminal.drawnWidth, label, unit, done, total, speed, note), ...below]);
    else terminal.say(describe(label, unit, done, total, speed, note));
  };
  if (interactive) update(start);
  const stop = () => terminal.redraw([]);
  return { update, stop, [Symbol.dispose]: stop };
}

/** The progress of a task whose total is known with its first report. */
export function progressOnDemand(terminal: Terminal, label: string, unit: string): Disposable & { onProgress(done: number, total: number): void } {
  let progress: Progress | undefined;
  return {
    onProgress(done, total) {
      progress ??= createProgress(terminal, label, unit, total);
      progress.update(done);
      if (done >= total) progress.stop();
    },
    [Symbol.dispose]: () => progress?.stop(),
  };
}

/** Status of a task of unknown length on stderr. */
export interface StatusLine extends Disposable {
  /** Show another status; a `passing` one is omitted where lines cannot be redrawn. */
  show(text: string, passing?: boolean): void;
  stop(): void;
}

const tickEveryMs = 250;

/** A line with the elapsed time, redrawn on a terminal; elsewhere a plain line per status, or as `--progress` sets. */
export function createStatusLine(terminal: Terminal): StatusLine {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const elapsed = () => formatDuration(seconds());
  if (terminal.progress === "json") return { ...silent, show: (text) => terminal.report({ type: "phase", text, seconds: seconds() }) };
  if (!terminal.interactive) {
    const show = (text: string, passing = false) => {
      if (!passing && terminal.progress !== "none") terminal.say(`${text} (${elapsed()})`);
    };
    return { ...silent, show };
  }
  let current = "";
  const draw = () => terminal.redraw([`${current} (${elapsed()})`]);
  const timer = setInterval(draw, tickEveryMs);
  const show = (text: string) => {
    current = text;
    draw();
  };
  const stop = () => {
    clearInterval(timer);
    terminal.redraw([]);
  };
  return { show, stop, [Symbol.dispose]: stop };
}
