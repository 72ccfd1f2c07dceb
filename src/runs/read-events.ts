import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { FileBytes } from "../formats/file-bytes.js";
import { storedEventSchema, type TrainEvent, type TrainEventOf, type TrainEventType } from "../protocol/events.js";
import { oldStepEvents } from "../protocol/step-method.js";
import { requireUnchanged } from "./checksums.js";
import { isThere, readWhole, requireRegular } from "./file-types.js";
import { TrainingTime } from "./run-clock.js";
import { runFiles } from "./run-layout.js";

/** Every event is shorter than this. */
export const mostLineBytes: number = 16 * 2 ** 20;
/** A JavaScript string holds about 512 MiB. */
const mostLogBytes = 2 ** 29 - 2 ** 20;

/**
 * The events of a run, in order. An incomplete last line of a running or killed run is ignored.
 * @throws {BhBridgeError} `RUN_CORRUPT` with the line of other damage, and if the log of an ended run has changed; `RUN_NOT_FOUND`.
 */
export function readEvents(directory: string): TrainEvent[] {
  const path = join(directory, runFiles.events);
  requireRegular(path);
  let bytes: Buffer;
  try {
    bytes = readWhole(path, mostLogBytes);
  } catch (cause) {
    if (cause instanceof BhBridgeError && cause.code === "FORMAT_INVALID") throw new BhBridgeError("RUN_CORRUPT", cause.message, { cause });
    throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: its ${runFiles.events} cannot be read`, { cause });
  }
  const end = bytes.lastIndexOf(lineEnd) + 1;
  if (bytes.length - end > mostLineBytes) throw tooLong(path, end);
  requireUnchanged(directory, runFiles.events);
  return bytes
    .toString("utf8", 0, end)
    .split("\n")
    .slice(0, -1)
    .map((line, index) => {
      try {
        return storedEventSchema.parse(JSON.parse(line));
      } catch (cause) {
        throw new BhBridgeError("RUN_CORRUPT", `${path}, line ${index + 1} is not an event of a run`, { cause });
      }
    });
}

const lineEnd = 0x0a;

function tooLong(path: string, offset: number): BhBridgeError {
  return new BhBridgeError("RUN_CORRUPT", `${path} is damaged: no event is as long as what begins at byte ${offset}`);
}

/** The last event of a type in the log of a run, read from its end, undefined if there is none. Damaged lines are skipped. */
export function lastEvent<Type extends TrainEventType>(directory: string, type: Type): TrainEventOf<Type> | undefined {
  return fromLog(directory, (log) => {
    const marks = [type, ...(type === "step_method" ? oldStepEvents : [])].map((name) => `"${name}"`);
    for (const line of linesFromEnd(log)) {
      if (!marks.some((mark) => line.includes(mark))) continue;
      const event = eventIn(line);
      if (event?.type === type) return event as TrainEventOf<Type>;
    }
    return undefined;
  });
}

/** Whether a run has taken a step, by its event log; otherwise it cannot be resumed. */
export function hasTakenStep(directory: string): boolean {
  const found = fromLog(directory, (log) => {
    for (const line of linesFromStart(log)) {
      if (line.includes('"step_end"') && eventIn(line)?.type === "step_end") return true;
    }
    return false;
  });
  return found ?? false;
}

/** Seconds of training by the events of a run, without the time between an end and its resumption. */
export function trainedSeconds(events: readonly TrainEvent[]): number {
  const time = new TrainingTime();
  return events.reduce((_, event) => time.upTo(event), 0);
}

/** Search the event log; undefined if there is none yet. @throws {BhBridgeError} `RUN_CORRUPT` if it is not a file. */
function fromLog<Found>(directory: string, find: (log: FileBytes) => Found): Found | undefined {
  const path = join(directory, runFiles.events);
  if (!isThere(path)) return undefined;
  requireRegular(path);
  const log = new FileBytes(path);
  try {
    return find(log);
  } finally {
    log.close();
  }
}

/** Large enough to find the first step or the last log in one piece: lines have about 200 bytes, and logs come about every hundred steps. */
const pieceBytes = 64 * 1024;

/** The complete lines of a file in order, up to one that is too long to be an event. */
function* linesFromStart(log: FileBytes): Generator<string> {
  let rest = Buffer.alloc(0); // an incomplete line
  for (let start = 0; start < log.size; start += pieceBytes) {
    const piece = Buffer.concat([rest, log.read(start, Math.min(pieceBytes, log.size - start), "its lines")]);
    const end = piece.lastIndexOf(lineEnd) + 1;
    if (end > 0) yield* piece.toString("utf8", 0, end - 1).split("\n");
    rest = piece.subarray(end);
    if (rest.length > mostLineBytes) return;
  }
}

/** The complete lines of a file in reverse order. @throws {BhBridgeError} `RUN_CORRUPT` for a line that is too long to be an event. */
function* linesFromEnd(log: FileBytes): Generator<string> {
  let rest: Uint8Array[] = []; // the end of an incomplete line
  let restBytes = 0;
  for (let end = log.size; end > 0; ) {
    const start = Math.max(0, end - pieceBytes);
    const piece = Buffer.from(log.read(start, end - start, "its last lines").buffer);
    const begun = start === 0 ? 0 : piece.indexOf(lineEnd) + 1 || piece.length;
    end = start;
    if (begun === piece.length) {
      rest.unshift(piece);
      restBytes += piece.length;
      if (restBytes > mostLineBytes) throw tooLong(log.path, start);
      continue;
    }
    yield* Buffer.concat([piece.subarray(begun), ...rest])
      .toString("utf8")
      .split("\n")
      .reverse();
    // The bytes before the first line end belong to a line that starts in an earlier piece.
    rest = [piece.subarray(0, begun)];
    restBytes = begun;
  }
}

function eventIn(line: string): TrainEvent | undefined {
  try {
    return storedEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
