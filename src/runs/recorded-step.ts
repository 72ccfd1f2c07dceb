import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { type IndexRecord, indexRecordBytes, parseIndexRecord } from "./history-index.js";
import { historyFile, indexPathOf } from "./run-layout.js";

/** The history's header is one page; `steps_done` comes after it. Docs: docs/run-directory.md. */
export const historyHeaderBytes = 4096;
/** The newest committed record of a run's history; nothing when there is no history yet. */
export function newestRecord(directory: string): IndexRecord | undefined {
  const done = readAt(join(directory, historyFile), historyHeaderBytes, 8)?.readBigInt64LE(0);
  if (done === undefined) return undefined;
  const bytes = readAt(indexPathOf(join(directory, historyFile)), Number(done) * indexRecordBytes, indexRecordBytes);
  return bytes && parseIndexRecord(bytes, 0);
}

/** The newest step that a run has recorded; nothing when there is no history yet. */
export function recordedStep(directory: string): number | undefined {
  return newestRecord(directory)?.step;
}

/** `length` bytes of a file; nothing when it is absent or too short. */
function readAt(path: string, position: number, length: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined; // a run that has not got that far
  }
  try {
    if (fstatSync(fd).size < position + length) return undefined;
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, position);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
