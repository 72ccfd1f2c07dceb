import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { type TrainEvent, type TrainEventOf, type TrainEventType, trainEventSchema } from "../protocol/events.js";
import { TrainingTime } from "./run-clock.js";
import { runFiles } from "./run-layout.js";

/**
 * The events of a run, in order. A torn last line (of a run that lives, or was killed) is left out.
 *
 * @throws {BhBridgeError} `RUN_CORRUPT` with the line, for damage anywhere else; `RUN_NOT_FOUND`.
 */
export function readEvents(directory: string): TrainEvent[] {
  const path = join(directory, runFiles.events);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: its ${runFiles.events} cannot be read`, { cause });
  }
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
    .map((line, index) => {
      try {
        return trainEventSchema.parse(JSON.parse(line));
      } catch (cause) {
        throw new BhBridgeError("RUN_CORRUPT", `${path}, line ${index + 1} is not an event of a run`, { cause });
      }
    });
}

/** The last event of a type in the log of a run, read from its end; nothing when there is none, or no log yet. A line that is damaged is passed over. */
export function lastEvent<Type extends TrainEventType>(directory: string, type: Type): TrainEventOf<Type> | undefined {
  return fromLog(directory, (descriptor) => {
    for (const line of linesFromEnd(descriptor)) {
      if (!line.includes(`"${type}"`)) continue;
      const event = eventIn(line);
      if (event?.type === type) return event as TrainEventOf<Type>;
    }
    return undefined;
  });
}

/** As Python writes it. */
const stepMark = Buffer.from('"type": "step_end"');

/** Whether a run has taken a step, by its event log; one that has not has nothing to go on with. */
export function hasTakenStep(directory: string): boolean {
  const found = fromLog(directory, (descriptor) => {
    const buffer = Buffer.alloc(stepMark.length + pieceBytes); // a mark may lie across two pieces
    for (let end = 0; ; ) {
      const kept = Math.min(stepMark.length - 1, end);
      buffer.copyWithin(0, end - kept, end);
      const bytes = readSync(descriptor, buffer, kept, pieceBytes, null);
      end = kept + bytes;
      if (buffer.subarray(0, end).includes(stepMark)) return true;
      if (bytes === 0) return false;
    }
  });
  return found ?? false;
}

/** Seconds of training that the events of a run tell of, without the time between an end and its resumption. */
export function trainedSeconds(events: readonly TrainEvent[]): number {
  const time = new TrainingTime();
  return events.reduce((_, event) => time.upTo(event), 0);
}

/** What is found in the event log; nothing in a run that has not got that far. */
function fromLog<Found>(directory: string, find: (descriptor: number) => Found): Found | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(directory, runFiles.events), "r");
  } catch {
    return undefined;
  }
  try {
    return find(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The first step is among the first lines, and logs come every hundred steps or so, of 200 bytes each: one piece holds what is looked for. */
const pieceBytes = 64 * 1024;

/** The whole lines of a file, the last first. */
function* linesFromEnd(descriptor: number): Generator<string> {
  let rest = Buffer.alloc(0);
  for (let end = fstatSync(descriptor).size; end > 0; ) {
    const start = Math.max(0, end - pieceBytes);
    const piece = Buffer.alloc(end - start);
    readSync(descriptor, piece, 0, piece.length, start);
    const bytes = Buffer.concat([piece, rest]);
    // What stands before the first line end goes on in the piece before it.
    const begun = start === 0 ? 0 : bytes.indexOf("\n") + 1 || bytes.length;
    rest = bytes.subarray(0, begun);
    yield* bytes.subarray(begun).toString("utf8").split("\n").reverse();
    end = start;
  }
}

function eventIn(line: string): TrainEvent | undefined {
  try {
    return trainEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
