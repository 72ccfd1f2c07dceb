import { lstatSync, realpathSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { foreignEntry } from "./foreign-entry.js";
import { readRunManifest } from "./run-manifest.js";
import type { LockHolders } from "./scan-runs.js";

/** What a removal takes away: a run, or the symbolic link that leads to one. */
export interface Removal {
  /** Absolute path of the run or of the link. */
  readonly path: string;
  /** The run that a link leads to, which stays. */
  readonly leadsTo: string | undefined;
}

/**
 * See that a directory may be removed: it is a run by its manifest, it holds nothing but the run, and nobody writes it.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND` saying what shows that it is not a run, or naming what else is in it; `RUN_LOCKED` naming the process;
 *   `RUN_UNSUPPORTED` for a run of a newer version.
 */
export async function planRemoval(path: string, lockHolders: LockHolders): Promise<Removal> {
  refuseForeign(path);
  if (lstatSync(path).isSymbolicLink()) return { path, leadsTo: realpathSync(path) };
  await refuseLocked(path, path, lockHolders);
  return { path, leadsTo: undefined };
}

/**
 * Remove a run from the disk; never one that is being written, and never anything but the run.
 *
 * It is renamed first: from then on nobody can begin to write it, and a process that did so in the last instant is seen.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_LOCKED`; `FILE_UNWRITABLE`.
 */
export async function removeRun({ path, leadsTo }: Removal, lockHolders: LockHolders): Promise<void> {
  if (leadsTo !== undefined) return removeLink(path);
  const doomed = join(dirname(path), `.${basename(path)}.${process.pid}.removed`);
  try {
    renameSync(path, doomed);
  } catch (cause) {
    throw writeError(path, cause);
  }
  try {
    refuseForeign(doomed);
    await refuseLocked(doomed, path, lockHolders);
  } catch (error) {
    renameSync(doomed, path);
    throw error;
  }
  rmSync(doomed, { recursive: true, force: true });
}

function removeLink(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    throw writeError(path, cause);
  }
}

function refuseForeign(directory: string): void {
  try {
    readRunManifest(directory);
  } catch (cause) {
    if (!(cause instanceof BhBridgeError) || cause.code === "RUN_UNSUPPORTED") throw cause;
    throw new BhBridgeError("RUN_NOT_FOUND", `${directory} is not removed, since nothing shows that it is a run: ${cause.message}`, { cause });
  }
  const foreign = foreignEntry(directory);
  if (foreign === undefined) return;
  throw new BhBridgeError("RUN_NOT_FOUND", `${directory} is not removed: it holds ${foreign}, which is not a part of a run. Move that elsewhere first`);
}

async function refuseLocked(path: string, name: string, lockHolders: LockHolders): Promise<void> {
  const holder = (await lockHolders([path])).get(path);
  if (holder !== undefined) throw new BhBridgeError("RUN_LOCKED", `${name} is being written by process ${holder}: it is not removed. Stop that process first`);
}
