import { randomInt } from "node:crypto";
import { escaped, unprintable } from "../../text/escaping.js";
import type { TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import type { CommonOptions } from "./command.js";
import { runnable } from "./invocation.js";
import type { ProgressMode } from "./shown-error.js";
import type { ProgressReport } from "./terminal-documents.js";

/** Two random numbers that mark our own colours, so that escape sequences from a file cannot pass for them. */
const key = `${randomInt(1000, 10_000)};${randomInt(1000, 10_000)}`;
const ours = new RegExp(`\\u001b\\[${key};(\\d+m)|(?![\\n\\t])${unprintable}`, "gu");
const controls = new RegExp(unprintable, "gu");

/** Colours that `terminalText` lets through; they do nothing unless wanted. */
export function terminalColors(isWanted: boolean): TextColors {
  const paint = (open: number, close: number) => (text: string) => (isWanted ? `\u001b[${key};${open}m${text}\u001b[${key};${close}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39), cyan: paint(36, 39) };
}

/**
 * Make a text safe for a terminal: keep line ends, tabs and our own colours, and escape every other control character. Quoted names, notes, metadata and
 * errors may come from foreign files.
 */
export function terminalText(text: string): string {
  return text.replaceAll(ours, (found: string, color: string | undefined) => (color === undefined ? escaped(found) : `\u001b[${color}`));
}

/** JSON that is safe for a terminal: control characters are written as `\u001b`. @param replacer as for `JSON.stringify`. */
export function terminalJson(document: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return JSON.stringify(document, replacer).replaceAll(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Output of a command: data on stdout, everything else on stderr; under `--json` stdout carries one document. All output passes through here, so that control
 * characters from files never reach the terminal.
 */
export class Terminal {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly progress: ProgressMode;
  /** Colours for stdout; they do nothing under `--no-color`, `NO_COLOR`, `TERM=dumb` or when stdout is no terminal. */
  readonly color: TextColors;
  /** Colours for stderr, under the same conditions. */
  readonly messageColor: TextColors;
  /** Whether lines can be redrawn. */
  readonly interactive: boolean;
  /** Whether somebody watches the messages. */
  readonly #isAttended: boolean;
  /** Number of lines that the next drawing replaces. */
  #drawn = 0;

  constructor(options: CommonOptions) {
    const isDumb = process.env["TERM"] === "dumb"; // prints escape sequences as text
    const wanted = options.color && !process.env["NO_COLOR"] && !isDumb;
    this.progress = options.progress ?? "auto";
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    this.color = terminalColors(wanted && process.stdout.isTTY === true);
    this.messageColor = terminalColors(wanted && process.stderr.isTTY === true && this.progress !== "json");
    this.#isAttended = process.stderr.isTTY === true && !process.env["CI"] && !this.quiet && this.progress === "auto";
    this.interactive = this.#isAttended && !isDumb;
  }

  /** Columns for results; undefined when they go to a file or a program. */
  get width(): number | undefined {
    return process.stdout.columns || undefined;
  }

  /** Lines of the screen for results; undefined when they go to a file or a program. */
  get height(): number | undefined {
    return process.stdout.rows || undefined;
  }

  get drawnWidth(): number {
    return (process.stderr.columns || 80) - 1;
  }

  /** Whether a person can answer questions. */
  get canAsk(): boolean {
    return this.#isAttended && !this.json && process.stdin.isTTY === true;
  }

  print(text: string): void {
    if (!this.json) process.stdout.write(`${terminalText(text)}\n`);
  }

  /** Print a message, wrapped to the terminal; nothing under `--quiet`. Its commands are rewritten by `runnable`. */
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

  /** Replace the lines drawn before on an interactive terminal, each cut to its width; no lines erase them. */
  redraw(lines: readonly string[]): void {
    if (!this.interactive || (lines.length === 0 && this.#drawn === 0)) return;
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    process.stderr.write(`${back}\r\u001b[J${lines.map((line) => `${terminalText(line.slice(0, this.drawnWidth))}\n`).join("")}`);
    this.#drawn = lines.length;
  }

  /** Print the document of `--json`; nothing otherwise. */
  document<Document extends { schema: string }>(document: Document): void {
    if (this.json) process.stdout.write(`${terminalJson(document)}\n`);
  }
}

/** Write non-finite numbers as the events of a run do. */
function wireNumber(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
