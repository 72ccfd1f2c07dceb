import { randomInt } from "node:crypto";
import { z } from "zod";
import { exitCodes } from "../../errors.js";
import { trainEventSchema } from "../../protocol/events.js";
import { trialEventSchema } from "../../sweep/sweep-document.js";
import { escaped, unprintable } from "../../text/escaping.js";
import type { TextColors } from "../../text/format.js";
import { wrap } from "../../text/wrap.js";
import type { CommonOptions, ProgressMode } from "./command.js";
import { runnable } from "./invocation.js";
import { errorDocumentSchema } from "./shown-error.js";

const count = z.int().nonnegative();

function lineSchema<const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.strictObject({ schema: z.literal("bh-bridge/progress@1"), type: z.literal(type), ...shape });
}

const { code, message, issues } = errorDocumentSchema.shape;

/** One line on stderr under `--progress json`. Numbers that JSON lacks are the texts `NaN`, `Infinity` and `-Infinity`, which the schema reads as numbers. */
export const progressLineSchema = z.discriminatedUnion("type", [
  /** What people would be told in words. */
  lineSchema("message", { text: z.string() }),
  /** What is under way where nothing can be counted: a start, a step of the set-up. */
  lineSchema("phase", { text: z.string(), seconds: z.number().nonnegative() }),
  /** How much of a task is done: `Training` in steps, `Analysing` in states. */
  lineSchema("progress", { task: z.string(), unit: z.string(), done: count, total: count }),
  /** A run has begun or goes on; its events follow. */
  lineSchema("run", { directory: z.string(), fromStep: count, steps: count }),
  /** What `trainer.events()` gives, and a line of `events.jsonl`. */
  lineSchema("train", { event: trainEventSchema }),
  /** What iterating over `sweep()` or `experiment()` gives. */
  lineSchema("trial", { event: trialEventSchema }),
  /** Why the command failed: the document of an error. */
  lineSchema("error", { code, message, issues }),
  /** The last line. */
  lineSchema("end", { status: z.enum(Object.keys(exitCodes) as (keyof typeof exitCodes)[]), exitCode: z.int() }),
]);
export type ProgressLine = z.output<typeof progressLineSchema>;

type WithoutSchema<Line> = Line extends unknown ? Omit<Line, "schema"> : never;

/** A line without what all of them begin with. */
type ProgressReport = WithoutSchema<ProgressLine>;

/** Two numbers that this process alone knows: a colour that carries them is ours, and one in a text from a file is not. */
const key = `${randomInt(1000, 10_000)};${randomInt(1000, 10_000)}`;
const ours = new RegExp(`\\u001b\\[${key};(\\d+m)|(?![\\n\\t])${unprintable}`, "gu");

/** Colours for texts that `terminalText` lets through; they do nothing where they are not wanted. */
export function terminalColors(isWanted: boolean): TextColors {
  const paint = (open: number, close: number) => (text: string) => (isWanted ? `\u001b[${key};${open}m${text}\u001b[${key};${close}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39), cyan: paint(36, 39) };
}

/**
 * A text as it may go to a terminal: line ends, tabs and our own colours stay, every other character that could steer the terminal is escaped. Whatever the
 * text quotes (names, notes, tensors, metadata, errors) may come from a file that somebody else made.
 */
export function terminalText(text: string): string {
  return text.replaceAll(ours, (found: string, color: string | undefined) => (color === undefined ? escaped(found) : `\u001b[${color}`));
}

/** A JSON document as it may go to a terminal: the same document, such characters written as `\u001b`. @param replacer as `JSON.stringify` takes it. */
export function terminalJson(document: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return JSON.stringify(document, replacer).replaceAll(
    new RegExp(unprintable, "gu"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

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
