import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { durableWrite, syncPath, writeError } from "../formats/durable-write.js";
import { runDirectoryName } from "./run-name.js";

/** Two runs of one configuration may start in the same second; a folder that exists is never used again. */
const maxAttempts = 1000;

/**
 * Make a new folder for a run, with its first files in it: it is there with all of them, or not at all.
 *
 * @param out the folder that holds the runs; made when it is absent.
 * @param files content by file name; at least one.
 * @returns the absolute path.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`, `IO_FAILED`.
 */
export function createRunDirectory(out: string, name: string, configHash: string, files: Readonly<Record<string, string>>): string {
  const parent = resolve(out);
  const base = join(parent, runDirectoryName(new Date(), name, configHash));
  const partial = join(parent, `.${randomBytes(4).toString("hex")}-${configHash.slice(0, 8)}.partial`);
  try {
    makeFolders(partial);
  } catch (cause) {
    throw writeError(parent, cause);
  }
  try {
    for (const [file, content] of Object.entries(files)) durableWrite(join(partial, file), content);
    const directory = takeName(partial, base);
    syncPath(parent);
    return directory;
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw writeError(parent, cause);
  }
}

/** Make a folder and those above it. Node's own `recursive` calls a read-only file system an absent folder, and never comes back from /proc. */
function makeFolders(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    if (code !== "ENOENT" || existsSync(dirname(folder))) throw cause;
    makeFolders(dirname(folder));
    mkdirSync(folder);
  }
}

/** Rename to the first of `base`, `base-2`, … that is free: a folder with files in it is never renamed over. */
function takeName(partial: string, base: string): string {
  for (let attempt = 1; ; attempt++) {
    const directory = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      renameSync(partial, directory);
      return directory;
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? "";
      if (!["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(code) || attempt >= maxAttempts) throw writeError(dirname(directory), cause);
    }
  }
}
