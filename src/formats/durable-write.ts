import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { BhBridgeError, type ErrorCode } from "../errors.js";

/**
 * Write a whole file so that a crash leaves either the old content or the new one. A device or a folder is never replaced.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` with the system's reason, `DISK_FULL`, `IO_FAILED`.
 */
export function durableWrite(path: string, content: string | Uint8Array): void {
  putInPlace(path, (temporaryPath) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found && !found.isFile()) throw new BhBridgeError("FILE_UNWRITABLE", `cannot write ${path}: it is not a regular file. Name another place`);
    writeFileSync(temporaryPath, content);
  });
}

/**
 * Make a file or a directory appear at `path` complete or not at all, where nothing is yet.
 * @param fill makes it under a temporary name beside it; when it throws, nothing is left.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` also when something is there already; `DISK_FULL`, `IO_FAILED`.
 */
export function durableCreate(path: string, fill: (temporaryPath: string) => void): void {
  requireNothingAt(path);
  putInPlace(path, fill);
}

/** As `durableCreate`, for what takes long enough to be stopped: nothing is left when `fill` rejects. */
export async function durableCreateInSteps(path: string, fill: (temporaryPath: string) => Promise<void>): Promise<void> {
  requireNothingAt(path);
  const temporaryPath = temporaryPathOf(path);
  try {
    await fill(temporaryPath);
  } catch (cause) {
    rmSync(temporaryPath, { recursive: true, force: true });
    throw writeError(path, cause);
  }
  putInPlace(path, () => undefined, temporaryPath);
}

function requireNothingAt(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }))
    throw new BhBridgeError("FILE_UNWRITABLE", `${path} exists already, and nothing is overwritten: name another place, or remove it`);
}

/** As `durableCreate`, for a file that is written front to back. */
export function durableCreateFile(path: string, fill: (write: (bytes: Uint8Array) => void) => void): void {
  durableCreate(path, (temporaryPath) => {
    const descriptor = openSync(temporaryPath, "wx");
    try {
      fill((bytes) => writeAll(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
  });
}

/** A sibling that belongs to nobody else: it is removed on failure. */
function temporaryPathOf(path: string): string {
  return `${path}.${randomBytes(4).toString("hex")}.partial`;
}

/** Temporary sibling, sync, rename, sync of the folder. */
function putInPlace(path: string, fill: (temporaryPath: string) => void, temporaryPath = temporaryPathOf(path)): void {
  try {
    fill(temporaryPath);
    syncPath(temporaryPath);
    renameSync(temporaryPath, path);
    syncPath(dirname(path));
  } catch (cause) {
    rmSync(temporaryPath, { recursive: true, force: true });
    throw writeError(path, cause);
  }
}

/** Write all bytes to an open file, at its end or at an offset: a full disk or a limit can cut a single write short without an error. */
export function writeAll(descriptor: number, bytes: Uint8Array, offset: number | null = null): void {
  for (let done = 0; done < bytes.byteLength; ) {
    done += writeSync(descriptor, bytes, done, bytes.byteLength - done, offset === null ? null : offset + done);
  }
}

/** Return when a file, or the names in a folder, have reached the drive. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const refusals: Readonly<Record<string, readonly [code: ErrorCode, reason: string]>> = {
  ENOSPC: ["DISK_FULL", "the disk is full. Free some space, then try again"],
  EDQUOT: ["DISK_FULL", "the quota is used up. Free some space, then try again"],
  EFBIG: ["DISK_FULL", "the file would be larger than the limit of this process. Allow larger files with ulimit -f"],
  EACCES: ["FILE_UNWRITABLE", "it may not be written to"],
  EPERM: ["FILE_UNWRITABLE", "it may not be written to"],
  EROFS: ["FILE_UNWRITABLE", "the file system is read-only"],
  ENOENT: ["FILE_UNWRITABLE", "its folder does not exist"],
  ENOTDIR: ["FILE_UNWRITABLE", "a part of the path is a file"],
  ENAMETOOLONG: ["FILE_UNWRITABLE", "the path is too long"],
  EISDIR: ["FILE_UNWRITABLE", "it is a folder"],
  EMFILE: ["FILE_UNWRITABLE", "too many files are open. Allow more with ulimit -n"],
  ENFILE: ["FILE_UNWRITABLE", "too many files are open on this machine"],
  EIO: ["IO_FAILED", "the drive failed (EIO). Look after it, then try again"],
};

/** The error for a path that could not be written. */
export function writeError(path: string, cause: unknown): BhBridgeError {
  if (cause instanceof BhBridgeError) return cause;
  const osCode = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const [code, reason] = refusals[osCode] ?? ["IO_FAILED", cause instanceof Error ? cause.message : String(cause)];
  return new BhBridgeError(code, `cannot write ${path}: ${reason}`, { cause });
}
