import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { type TrainEventOf, type TrainEventType, trainEventSchema } from "../protocol/events.js";
import { runFiles } from "./run-layout.js";

/** Logs come every hundred steps or so, of 200 bytes each: one piece holds the last of them. */
const pieceBytes = 64 * 1024;

/** The last event of a type in the log of a run, read from its end; nothing when there is none, or no log yet. A line that is damaged is passed over. */
export function lastEvent<Type extends TrainEventType>(directory: string, type: Type): TrainEventOf<Type> | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(directory, runFiles.events), "r");
  } catch {
    return undefined; // a run that has not got that far
  }
  try {
    for (const line of linesFromEnd(descriptor)) {
      if (!line.includes(`"${type}"`)) continue;
      const event = parsed(line);
      if (event?.type === type) return event as TrainEventOf<Type>;
    }
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

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

function parsed(line: string) {
  try {
    return trainEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
