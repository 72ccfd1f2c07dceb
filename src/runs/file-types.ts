import { lstatSync, type Stats, statSync } from "node:fs";
import { BhBridgeError } from "../errors.js";

/**
 * Make sure that a file of a run is a regular file, or a link to one, or absent. Anything else can block whoever opens it, or fails when it is read.
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the path and what is there.
 */
export function requireRegular(path: string): void {
  const found = kindOf(path);
  if (found !== undefined && found !== "a file") throw corrupt(path, found, "a file");
}

/** Make sure that a folder of a run is a folder, or absent. @throws {BhBridgeError} `RUN_CORRUPT` naming the path and what is there. */
export function requireFolder(path: string): void {
  const found = kindOf(path);
  if (found !== undefined && found !== "a folder") throw corrupt(path, found, "a folder");
}

/** Whether anything is at a path: a link that leads nowhere is, and so is what lies behind one that cannot be followed. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // whoever opens it gets the reason
  }
}

/** What is at a path, links followed; nothing where nothing is. */
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
