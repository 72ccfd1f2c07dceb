import { renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { writeError } from "./durable-write.js";
import type { LockHolders } from "./scan-runs.js";

/**
 * Remove a run from the disk; never one that is being written.
 *
 * It is renamed first: from then on nobody can begin to write it, and a process that did so in the last instant is seen.
 *
 * @throws {BhBridgeError} `RUN_LOCKED` naming the process; `FILE_UNWRITABLE`.
 */
export async function removeRun(directory: string, lockHolders: LockHolders): Promise<void> {
  await refuseLocked(directory, directory, lockHolders);
  const doomed = join(dirname(directory), `.${basename(directory)}.removed`);
  try {
    renameSync(directory, doomed);
  } catch (cause) {
    throw writeError(directory, cause);
  }
  try {
    await refuseLocked(doomed, directory, lockHolders);
  } catch (error) {
    renameSync(doomed, directory);
    throw error;
  }
  rmSync(doomed, { recursive: true, force: true });
}

async function refuseLocked(path: string, name: string, lockHolders: LockHolders): Promise<void> {
  const holder = (await lockHolders([path])).get(path);
  if (holder !== undefined) throw new BhBridgeError("RUN_LOCKED", `${name} is being written by process ${holder}: it is not removed. Stop that process first`);
}
