import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { writeAll, writeError } from "../formats/durable-write.js";
import { type TrialEnd, type TrialResult, trialResultSchema } from "./pool/trial-task.js";

/**
 * `lost`: nobody trains it any more, so it will be resumed. `pruned` is an end like `completed`. `skipped`: a sequential experiment was decided without it; a
 * later start may need it.
 */
export const trialStatuses = ["planned", "running", "completed", "failed", "pruned", "lost", "skipped"] as const;
type TrialStatus = (typeof trialStatuses)[number];

/** Whether a trial needs no more training, unless it failed and is retried. */
export function hasEnded(status: TrialStatus): boolean {
  return status === "completed" || status === "pruned" || status === "failed" || status === "skipped";
}

/** Whether a trial is left to train: it has not ended, or it is retried after failing before its last step. With all steps done it would fail again. */
export function isLeft({ status, result }: { status: TrialStatus; result: TrialResult | null }, retry: boolean): boolean {
  return !hasEnded(status) || (retry && status === "failed" && result === null);
}

const ledgerLineSchema = z.strictObject({
  at: z.string(),
  trial: z.string(),
  status: z.enum(trialStatuses),
  /** Path of its run in the ledger's directory; null before there is one. */
  run: z.string().nullable(),
  /** Why it failed, was pruned, was lost, or was skipped. */
  reason: z.string().optional(),
  /** The worker's process and cores, and its host if it is not the controller's. */
  worker: z.strictObject({ pid: z.int(), host: z.string().optional(), cores: z.array(z.int()).nullable() }).optional(),
  result: trialResultSchema.optional(),
});
export type LedgerLine = z.output<typeof ledgerLineSchema>;

const ledgerName = "ledger.jsonl";

/** The start of every line. It cannot occur inside a line, because JSON escapes the quotes of a string. */
const lineStart = '{"at":"';

/**
 * The newest line of each trial in a directory's ledger; empty if there is none. An incomplete last line is ignored. Earlier versions could leave an incomplete
 * line before a complete one when the disk was full; the complete one counts.
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

/** The ledger of a directory locked by this process. Every line is on disk before anything follows from it. */
export class Ledger implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #entries: Map<string, LedgerLine>;
  /** Bytes of the complete lines. */
  #size: number;

  /** Open it, and truncate an incomplete last line. @throws {BhBridgeError} as `readLedger`, and `FILE_UNWRITABLE`. */
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

  /** Append a line completely or not at all. @throws {BhBridgeError} `DISK_FULL`, `IO_FAILED`. */
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

  /** Truncate a failed append. If the disk refuses this too, the next append tries again. */
  #undo(): void {
    try {
      ftruncateSync(this.#fd, this.#size);
    } catch {
      // The failed append is reported instead.
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

/** Whether a text is the incomplete beginning of a line. A complete line before another one is damage of another kind. */
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

export function lineOfEnd(end: TrialEnd): Pick<LedgerLine, "status" | "reason" | "result"> {
  if (end.kind === "completed") return { status: "completed", result: end.result };
  if (end.kind === "pruned") return { status: "pruned", result: end.result, reason: end.reason };
  if (end.kind === "stopped") return { status: "planned" };
  if (end.kind === "died" || end.kind === "lost") return { status: "lost", reason: end.reason };
  return { status: "failed", reason: end.reason, ...(end.result && { result: end.result }) };
}
