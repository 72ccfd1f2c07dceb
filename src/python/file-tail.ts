import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A traceback and what led to it fit many times over; a log itself may have grown to gigabytes. */
const tailBytes = 65_536;

/** The end of a text file; empty when there is no such file. */
export function fileTail(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return ""; // a log that nothing was written to
  }
  try {
    const start = Math.max(0, fstatSync(fd).size - tailBytes);
    const buffer = Buffer.alloc(tailBytes);
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, tailBytes, start));
  } finally {
    closeSync(fd);
  }
}
