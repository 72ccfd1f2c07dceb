import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { writeAll, writeError } from "../formats/durable-write.js";
import { type TrialEnd, type TrialResult, trialResultSchema } from "./pool/trial-task.js";

/** `lost`: nobody trains it any more, and it will be gone on with. `pruned` is an end like `completed`. */
export const trialStatuses = ["planned", "running", "completed", "failed", "pruned", "lost"] as const;
type TrialStatus = (typeof trialStatuses)[number];

/** Whether a trial with this status needs no more training, unless what failed is tried again. */
export function hasEnded(status: TrialStatus): boolean {
  return status === "completed" || status === "pruned" || status === "failed";
}

/** Whether a trial is to be trained: it has not ended, or it failed on its way and is tried again. What took all its steps would end as it did. */
export function isLeft({ status, result }: { status: TrialStatus; result: TrialResult | null }, retry: boolean): boolean {
  return !hasEnded(status) || (retry && status === "failed" && result === null);
}

/** One line of a ledger: what became of a trial, and when. */
const ledgerLineSchema = z.strictObject({
  at: z.string(),
  trial: z.string(),
  status: z.enum(trialStatuses),
  /** Its run, as a path in the directory of the ledger; null before there is one. */
  run: z.string().nullable(),
  /** Why it failed, was pruned, or was lost. */
  reason: z.string().optional(),
  /** Where it runs: the worker's process, the cores that it keeps to, and the machine, where that is another than the controller's. */
  worker: z.strictObject({ pid: z.int(), host: z.string().optional(), cores: z.array(z.int()).nullable() }).optional(),
  result: trialResultSchema.optional(),
});
export type LedgerLine = z.output<typeof ledgerLineSchema>;

const ledgerName = "ledger.jsonl";

/** How every line starts. It cannot occur inside a line, because JSON escapes the quotes of a string. */
const lineStart = '{"at":"';

/**
 * What became of each trial, as the ledger of a directory says now; nothing where there is none yet. A last line that is not whole is being written, or was
 * when its writer died. Earlier versions could leave half a line before a whole one when the disk was full: the whole one counts.
 *
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the line, `FILE_UNREADABLE`.
 */
export function readLedger(directory: string, name: string = ledgerName): Map<string, LedgerLine> {
  const path = join(directory, name);
  const lines = wholeLines(path)
    .toString("utf8")
    .split("\n")
    .slice(0, -1)
    .map((line, index) => parseLine(line, path, index + 1));
  return new Map(lines.map((line) => [line.trial, line]));
}

/** The ledger of a directory whose lock this process holds: every line is on the disk before anything follows from it. */
export class Ledger implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #entries: Map<string, LedgerLine>;
  /** Bytes of the whole lines. */
  #size: number;

  /** Open it, and take away a last line that its writer did not finish. @throws {BhBridgeError} as `readLedger`, and `FILE_UNWRITABLE`. */
  constructor(directory: string, name: string = ledgerName) {
    this.#path = join(directory, name);
    this.#entries = readLedger(directory, name);
    this.#size = wholeLines(this.#path).byteLength;
    try {
      this.#fd = openSync(this.#path, "a");
      ftruncateSync(this.#fd, this.#size);
    } catch (cause) {
      throw writeError(this.#path, cause);
    }
  }

  /** The newest line of a trial. */
  of(trial: string): LedgerLine | undefined {
    return this.#entries.get(trial);
  }

  /** Add a line, whole or not at all. @throws {BhBridgeError} `DISK_FULL`, `IO_FAILED`. */
  append(line: Omit<LedgerLine, "at">): void {
    const dated: LedgerLine = { at: new Date().toISOString(), ...line };
    const bytes = Buffer.from(`${JSON.stringify(dated)}\n`);
    try {
      if (fstatSync(this.#fd).size !== this.#size) ftruncateSync(this.#fd, this.#size); // an earlier failure could not be undone
      writeAll(this.#fd, bytes);
      fsyncSync(this.#fd);
    } catch (cause) {
      this.#undo();
      throw writeError(this.#path, cause);
    }
    this.#size += bytes.byteLength;
    this.#entries.set(line.trial, dated);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Cut off what a failed append has written. A disk that refuses this too is asked again before the next line. */
  #undo(): void {
    try {
      ftruncateSync(this.#fd, this.#size);
    } catch {
      // The failure of the append itself is reported.
    }
  }
}

/** The bytes of a ledger up to its last line end. */
function wholeLines(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw new BhBridgeError("FILE_UNREADABLE", `${path} cannot be read`, { cause });
  }
}

function parseLine(line: string, path: string, number: number): LedgerLine {
  const start = Math.max(0, line.lastIndexOf(lineStart));
  try {
    return ledgerLineSchema.parse(JSON.parse(isUnfinished(line.slice(0, start)) ? line.slice(start) : line));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged in line ${number}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Whether a text is the beginning of a line, without its end: a whole line before another one is damage of another kind. */
function isUnfinished(text: string): boolean {
  const ends = [...text.matchAll(/\}/g)].map(({ index }) => text.slice(0, index + 1));
  return text.startsWith(lineStart.slice(0, text.length)) && !ends.some(isJson);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What a ledger says of how a trial came to its end in a worker. */
export function lineOfEnd(end: TrialEnd): Pick<LedgerLine, "status" | "reason" | "result"> {
  if (end.kind === "completed") return { status: "completed", result: end.result };
  if (end.kind === "pruned") return { status: "pruned", result: end.result, reason: end.reason };
  if (end.kind === "stopped") return { status: "planned" };
  if (end.kind === "died" || end.kind === "lost") return { status: "lost", reason: end.reason };
  return { status: "failed", reason: end.reason, ...(end.result && { result: end.result }) };
}
