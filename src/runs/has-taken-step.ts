import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { runFiles } from "./run-layout.js";

/** As Python writes it. */
const mark = Buffer.from('"type": "step_end"');
const chunkBytes = 1 << 16; // the first step is among the first lines

/** Whether a run has taken a step, by its event log; one that has not has nothing to go on with. */
export function hasTakenStep(directory: string): boolean {
  let fd: number;
  try {
    fd = openSync(join(directory, runFiles.events), "r");
  } catch {
    return false; // a run that did not get so far
  }
  try {
    const buffer = Buffer.alloc(mark.length + chunkBytes); // a mark may lie across two chunks
    for (let end = 0; ; ) {
      const kept = Math.min(mark.length - 1, end);
      buffer.copyWithin(0, end - kept, end);
      const bytes = readSync(fd, buffer, kept, chunkBytes, null);
      end = kept + bytes;
      if (buffer.subarray(0, end).includes(mark)) return true;
      if (bytes === 0) return false;
    }
  } finally {
    closeSync(fd);
  }
}
