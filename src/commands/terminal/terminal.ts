import type { TextColors } from "../../config/text-colors.js";
import { wrap } from "../../text/wrap.js";
import type { CommonOptions } from "./command.js";
import { runnable } from "./invocation.js";
import type { ProgressReport } from "./progress-line.js";
import type { ProgressMode } from "./progress-mode.js";
import { terminalColors, terminalJson, terminalText } from "./terminal-text.js";

/**
 * What a command prints: data on stdout, everything else on stderr; under `--json` stdout carries one document alone. Nothing else writes to either, so that
 * nothing from a file reaches a terminal as it is.
 */
export class Terminal {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly progress: ProgressMode;
  /** Colours for stdout; they do nothing under `--no-color`, `NO_COLOR`, `TERM=dumb` or when stdout is no terminal. */
  readonly color: TextColors;
  /** Colours for stderr, likewise. */
  readonly messageColor: TextColors;
  /** True where a progress bar may redraw its line. */
  readonly interactive: boolean;
  /** True where somebody sees messages as they come. */
  readonly #isAttended: boolean;
  /** So many lines are drawn and can be drawn anew. */
  #drawn = 0;

  constructor(options: CommonOptions) {
    const isDumb = process.env["TERM"] === "dumb"; // it shows escape sequences as they are
    const wanted = options.color && !process.env["NO_COLOR"] && !isDumb;
    this.progress = options.progress ?? "auto";
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    this.color = terminalColors(wanted && process.stdout.isTTY === true);
    this.messageColor = terminalColors(wanted && process.stderr.isTTY === true && this.progress !== "json");
    this.#isAttended = process.stderr.isTTY === true && !process.env["CI"] && !this.quiet && this.progress === "auto";
    this.interactive = this.#isAttended && !isDumb;
  }

  /** Columns for results; undefined where they go to a file or a program, which nothing is broken for. */
  get width(): number | undefined {
    return process.stdout.columns || undefined;
  }

  /** Lines of the screen that results go to; undefined where they go to a file or a program. */
  get height(): number | undefined {
    return process.stdout.rows || undefined;
  }

  /** Columns for what is drawn on stderr. */
  get drawnWidth(): number {
    return (process.stderr.columns || 80) - 1;
  }

  /** True where somebody can be asked and answer. */
  get canAsk(): boolean {
    return this.#isAttended && !this.json && process.stdin.isTTY === true;
  }

  /** Print results for people; nothing under `--json`. */
  print(text: string): void {
    if (!this.json) process.stdout.write(`${terminalText(text)}\n`);
  }

  /** Print a message, broken at words where it is wider than the terminal; nothing under `--quiet`. Commands in it are written as this program was started. */
  say(message: string): void {
    this.redraw([]);
    if (this.quiet) return;
    const text = runnable(message);
    if (this.progress === "json") this.report({ type: "message", text });
    else process.stderr.write(`${wrap(terminalText(text), process.stderr.columns || undefined)}\n`);
  }

  /** Write a line of `--progress json`; nothing otherwise. */
  report(report: ProgressReport): void {
    if (this.progress === "json") process.stderr.write(`${terminalJson({ schema: "bh-bridge/progress@1", ...report }, wireNumber)}\n`);
  }

  /** Draw lines on stderr in place of those that were drawn before, each cut to the width of the terminal, where it is interactive; none takes them away. */
  redraw(lines: readonly string[]): void {
    if (!this.interactive || (lines.length === 0 && this.#drawn === 0)) return;
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    process.stderr.write(`${back}\r\u001b[J${lines.map((line) => `${terminalText(line.slice(0, this.drawnWidth))}\n`).join("")}`);
    this.#drawn = lines.length;
  }

  /** Print the document of `--json`; nothing otherwise. */
  document(document: { schema: string }): void {
    if (this.json) process.stdout.write(`${terminalJson(document)}\n`);
  }
}

/** A number that JSON lacks, as the events of a run write it. */
function wireNumber(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
