import { formatDuration } from "./progress.js";
import type { Terminal } from "./terminal.js";

/** What a task of unknown length is at, on stderr. */
export interface StatusLine {
  /** Show another state; a `passing` one is left out where lines cannot be redrawn. */
  show(text: string, passing?: boolean): void;
  stop(): void;
}

/** Often enough for a second that counts, rare enough to cost nothing. */
const redrawEveryMs = 250;

/** A line with the time elapsed, redrawn on a terminal; elsewhere a plain line for each state, or as `--progress` says. */
export function createStatusLine(terminal: Terminal): StatusLine {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const elapsed = () => formatDuration(seconds());
  if (terminal.progress === "json") return { show: (text) => terminal.report({ type: "phase", text, seconds: seconds() }), stop: () => undefined };
  if (!terminal.interactive) {
    return {
      show: (text, passing = false) => {
        if (!passing && terminal.progress !== "none") terminal.say(`${text} (${elapsed()})`);
      },
      stop: () => undefined,
    };
  }
  let current = "";
  const draw = () => terminal.redraw([`${current} (${elapsed()})`]);
  const timer = setInterval(draw, redrawEveryMs);
  return {
    show(text) {
      current = text;
      draw();
    },
    stop() {
      clearInterval(timer);
      terminal.redraw([]);
    },
  };
}
