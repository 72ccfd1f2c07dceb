import type { TextColors } from "../../config/text-colors.js";
import { wrap } from "../../text/wrap.js";
import type { CommonOptions } from "./command.js";
import { terminalColors, terminalJson, terminalText } from "./terminal-text.js";

/**
 * What a command prints: data on stdout, everything else on stderr; under `--json` stdout carries one document alone. Nothing else writes to either, so that
 * nothing from a file reaches a terminal as it is.
 */
export class Terminal {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Colours for stdout; they do nothing under `--no-color`, `NO_COLOR` or when stdout is no terminal. */
  readonly color: TextColors;
  /** Colours for stderr, likewise. */
  readonly messageColor: TextColors;
  /** True where a progress bar may redraw its line. */
  readonly interactive: boolean;
  /** Lines that are drawn and can be drawn anew. */
  #drawn = 0;

  constructor(options: CommonOptions) {
    const wanted = options.color && !process.env["NO_COLOR"];
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    this.color = terminalColors(wanted && process.stdout.isTTY === true);
    this.messageColor = terminalColors(wanted && process.stderr.isTTY === true);
    this.interactive = process.stderr.isTTY === true && !process.env["CI"] && !this.quiet;
  }

  /** Columns for results; undefined where they go to a file or a program, which nothing is broken for. */
  get width(): number | undefined {
    return process.stdout.columns || undefined;
  }

  /** True where somebody can be asked and answer. */
  get canAsk(): boolean {
    return this.interactive && !this.json && process.stdin.isTTY === true;
  }

  /** Print results for people; nothing under `--json`. */
  print(text: string): void {
    if (!this.json) process.stdout.write(`${terminalText(text)}\n`);
  }

  /** Print a message, broken at words where it is wider than the terminal; nothing under `--quiet`. */
  say(text: string): void {
    if (this.#drawn > 0) this.redrawLines([]);
    if (!this.quiet) process.stderr.write(`${wrap(terminalText(text), process.stderr.columns || undefined)}\n`);
  }

  /** Draw the line on stderr that is rewritten in place, where the terminal is interactive; an empty one takes it away. */
  redraw(line: string): void {
    process.stderr.write(`\r\u001b[K${terminalText(line)}`);
  }

  /** Draw lines on stderr in place of those that were drawn before, where the terminal is interactive; none takes them away. */
  redrawLines(lines: readonly string[]): void {
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    process.stderr.write(`${back}\r\u001b[J${lines.map((line) => `${terminalText(line)}\n`).join("")}`);
    this.#drawn = lines.length;
  }

  /** Say something while a line is being redrawn, which then goes on below. */
  interject(text: string): void {
    if (this.interactive) this.redraw("");
    this.say(text);
  }

  /** Take back what a progress bar does to a terminal while it is drawn: no cursor, no wrapping of lines. */
  restore(): void {
    if (this.interactive) process.stderr.write("\r\x1b[K\x1b[?25h\x1b[?7h");
  }

  /** Print the document of `--json`; nothing otherwise. */
  document(document: { schema: string }): void {
    if (this.json) process.stdout.write(`${terminalJson(document)}\n`);
  }
}
