import { groupDigits } from "../../text/group-digits.js";
import type { Terminal } from "./terminal.js";

/** Progress of one long task, on stderr. */
export interface Progress {
  /** Tell how many units are done, with a few words on the state (a loss, a file name). */
  update(done: number, note?: string): void;
  stop(): void;
}

/** A plain line at most this often where no bar can be drawn: frequent enough to see life, rare enough for a log file. */
const plainLineEveryMs = 30_000;
/** On fewer columns the bar is shorter, so that rate and time left fit beside it. */
const usualColumns = 80;
/** The rate is taken over this window, so that it follows a machine that slows down. */
const rateWindowMs = 30_000;

/** Units a second over the last window; units done before this process began (a resumed run's) are not counted. */
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
  const speed = rate === undefined ? "" : `, ${rate.toPrecision(3)} ${unit}/s, ${formatDuration((total - done) / rate)} left`;
  return `${label}: ${groupDigits(done)} of ${groupDigits(total)} ${unit} (${Math.floor((100 * done) / total)} %)${speed}${note && `, ${note}`}`;
}

/**
 * Show the progress of a task of `total` units: a bar with rate and time left on a terminal, a plain line every 30 s elsewhere.
 *
 * @param start units that were done before, which do not count for the rate.
 */
export async function createProgress(terminal: Terminal, label: string, unit: string, total: number, start = 0): Promise<Progress> {
  const rate = new Rate();
  rate.mark(start);
  if (terminal.quiet) return { update: () => undefined, stop: () => undefined };
  if (!terminal.interactive) {
    let lastLineAt = performance.now();
    return {
      update(done, note = "") {
        const now = performance.now();
        if (now - lastLineAt < plainLineEveryMs) return;
        lastLineAt = now;
        terminal.say(describe(label, unit, done, total, rate.mark(done), note));
      },
      stop: () => undefined,
    };
  }
  const { default: cliProgress } = await import("cli-progress");
  const bar = new cliProgress.SingleBar({
    format: `${label} {bar} {percentage}% {value}/{total} ${unit} {speed}{note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: (process.stderr.columns || usualColumns) < usualColumns ? 8 : 24,
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
    stream: process.stderr,
  });
  bar.start(total, start, { speed: "", note: "" });
  let lastMarkAt = 0;
  let speed = "";
  return {
    update(done, note = "") {
      const now = performance.now();
      if (now - lastMarkAt > 250) {
        lastMarkAt = now;
        const current = rate.mark(done);
        speed = current === undefined ? "" : `${current.toPrecision(3)}/s ${formatDuration((total - done) / current)} left`;
      }
      bar.update(done, { speed, note: note && ` ${note}` });
    },
    stop: () => bar.stop(),
  };
}
