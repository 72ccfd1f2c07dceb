import { lstatSync, type Stats, statSync } from "node:fs";
import { BhBridgeError } from "../errors.js";
import { FileBytes, formatInvalid } from "../formats/file-bytes.js";

/**
 * Require that a file of a run is a regular file, a link to one, or missing. Anything else can block when opened, or fail when read.
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the path and what is there.
 */
export function requireRegular(path: string): void {
  const found = kindOf(path);
  if (found !== undefined && found !== "a file") throw corrupt(path, found, "a file");
}

/** Require that a folder of a run is a folder, or missing. @throws {BhBridgeError} `RUN_CORRUPT` naming the path and what is there. */
export function requireFolder(path: string): void {
  const found = kindOf(path);
  if (found !== undefined && found !== "a folder") throw corrupt(path, found, "a folder");
}

/** Whether anything is at a path, including a broken link. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // opening it reports the reason
  }
}

/** A whole regular file in memory. @throws {BhBridgeError} as `FileBytes`; `FORMAT_INVALID` when it has more than `most` bytes. */
export function readWhole(path: string, most = Number.POSITIVE_INFINITY): Buffer {
  const file = new FileBytes(path);
  try {
    if (file.size > most) throw formatInvalid(path, 0, `it has ${file.size} bytes; at most ${most} are read`);
    const { buffer, byteOffset, byteLength } = file.read(0, file.size, "its content");
    return Buffer.from(buffer, byteOffset, byteLength); // a view, not a copy
  } finally {
    file.close();
  }
}

/** The kind of file at a path, following links; undefined if there is none. */
function kindOf(path: string): string | undefined {
  if (!isThere(path)) return undefined;
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    return `a link that cannot be followed (${(cause as NodeJS.ErrnoException).code})`;
  }
  if (!stat) return "a link that leads nowhere";
  const kinds: readonly [boolean, string][] = [
    [stat.isFile(), "a file"],
    [stat.isDirectory(), "a folder"],
    [stat.isFIFO(), "a pipe"],
    [stat.isSocket(), "a socket"],
  ];
  return kinds.find(([is]) => is)?.[1] ?? "a device";
}

function corrupt(path: string, found: string, expected: string): BhBridgeError {
  return new BhBridgeError("RUN_CORRUPT", `${path} is ${found}, where a run has ${expected}`);
}
