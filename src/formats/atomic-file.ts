import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { BhBridgeError, type ErrorCode } from "../errors.js";

const writeErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ["DISK_FULL", "the disk is full"],
  EDQUOT: ["DISK_FULL", "the quota is used up"],
  EACCES: ["FILE_UNWRITABLE", "this user may not write there"],
  EPERM: ["FILE_UNWRITABLE", "this user may not write there"],
  EROFS: ["FILE_UNWRITABLE", "the file system is read-only"],
  ENOENT: ["FILE_UNWRITABLE", "its directory does not exist"],
  ENOTDIR: ["FILE_UNWRITABLE", "a part of its path is a file"],
};

/** The error for a path that the operating system refuses to write. */
export function writeError(path: string, cause: unknown): BhBridgeError {
  if (cause instanceof BhBridgeError) return cause;
  const osCode = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const [code, reason] = writeErrors[osCode] ?? ["IO_FAILED", cause instanceof Error ? cause.message : String(cause)];
  return new BhBridgeError(code, `${path} cannot be written: ${reason}`, { cause });
}

/** Refuse a path that is taken: results are never overwritten. @throws {BhBridgeError} `FILE_UNWRITABLE`. */
export function demandAbsent(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }))
    throw new BhBridgeError("FILE_UNWRITABLE", `${path} exists already, and nothing is overwritten: name another place, or remove it`);
}

/**
 * Make a file or a directory appear at `path` complete or not at all: `fill` makes it under a temporary name beside it, which is then
 * given its own; when `fill` throws, nothing is left.
 *
 * @throws {BhBridgeError} `FILE_UNWRITABLE` when something is there already, or the place cannot be written; `DISK_FULL`, `IO_FAILED`.
 */
export async function createAtomically(path: string, fill: (temporaryPath: string) => void | Promise<void>): Promise<void> {
  demandAbsent(path);
  const temporaryPath = `${path}.${randomBytes(4).toString("hex")}.partial`; // a name of nobody else: it is removed on failure
  try {
    await fill(temporaryPath);
    syncPath(temporaryPath);
    renameSync(temporaryPath, path);
    syncPath(dirname(path));
  } catch (cause) {
    rmSync(temporaryPath, { recursive: true, force: true });
    throw writeError(path, cause);
  }
}

/** As `createAtomically`, for a file that is written front to back. */
export function writeAtomically(path: string, fill: (write: (bytes: Uint8Array) => void) => void): Promise<void> {
  return createAtomically(path, (temporaryPath) => {
    const descriptor = openSync(temporaryPath, "wx");
    try {
      fill((bytes) => {
        for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
      });
    } finally {
      closeSync(descriptor);
    }
  });
}

/** Have the system put a file or a directory on the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
