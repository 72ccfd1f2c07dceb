import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BhBridgeError } from "../errors.js";

/**
 * Write a whole file so that a crash leaves either the old content or the new one: temporary sibling, sync, rename, sync of the folder.
 *
 * @throws {BhBridgeError} `DISK_FULL`, `IO_FAILED`, or `FILE_UNWRITABLE` with the system's reason.
 */
export function durableWrite(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    const fd = openSync(temporary, "w");
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw writeError(path, cause);
  }
}

/** Return when the names in a folder (a rename, a new file) have reached the drive. */
export function syncFolder(folder: string): void {
  const fd = openSync(join(folder, "."), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The error for a path that could not be written. */
export function writeError(path: string, cause: unknown): BhBridgeError {
  if (cause instanceof BhBridgeError) return cause;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new BhBridgeError("DISK_FULL", `the disk is full: ${path} could not be written. Free some space and resume`, { cause });
  if (code === "EIO") return new BhBridgeError("IO_FAILED", `${path} could not be written: input/output error. Look after the disk, then resume`, { cause });
  const reasons: Record<string, string> = {
    EACCES: "it may not be written to",
    EROFS: "the file system is read-only",
    ENOENT: "its folder is gone",
    ENAMETOOLONG: "the path is too long",
    ENOTDIR: "a part of the path is a file",
  };
  const reason = reasons[code ?? ""] ?? (cause instanceof Error ? cause.message : String(cause));
  return new BhBridgeError("FILE_UNWRITABLE", `cannot write ${path}: ${reason}`, { cause });
}
