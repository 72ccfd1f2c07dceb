import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { durableWrite } from "../../../formats/durable-write.js";
import { hasJobEnded, RayCluster } from "./ray-cluster.js";

const noteSchema = z.strictObject({ address: z.string(), job: z.string() });

/** Ray ends a job within some seconds of being asked. */
const endMs = 60_000;
const lookAgainMs = 250;

/** Where the directory of a sweep says that a job works for it; the workers look for this file to see whether they share the directory's storage. */
export function jobNotePath(directory: string): string {
  return join(directory, "ray.json");
}

/** Note that a job works for a directory. @returns what the file has. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function noteJob(directory: string, address: string, job: string): string {
  const text = `${JSON.stringify({ address, job })}\n`;
  durableWrite(jobNotePath(directory), text);
  return text;
}

/** The job that was noted has ended. */
export function forgetJob(directory: string): void {
  rmSync(jobNotePath(directory), { force: true });
}

/**
 * End the job that an earlier controller of a directory has left on its cluster, and wait until it has ended: its workers write the runs that are to be gone
 * on with. A cluster that is gone has no job any more.
 *
 * @throws {BhBridgeError} `RUN_LOCKED` where the job does not end.
 */
export async function endEarlierJob(directory: string): Promise<void> {
  const note = readNote(directory);
  if (note === undefined) return;
  const cluster = new RayCluster(note.address);
  try {
    const until = Date.now() + endMs;
    for (let state = await cluster.job(note.job), isAsked = false; state && !hasJobEnded(state); state = await cluster.job(note.job)) {
      if (!isAsked) await cluster.stop(note.job);
      isAsked = true;
      if (Date.now() > until) {
        throw new BhBridgeError("RUN_LOCKED", `${directory} has a job on ${note.address} that does not end: stop it with: ray job stop ${note.job}`);
      }
      await after(lookAgainMs);
    }
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code !== "EXECUTOR_UNAVAILABLE") throw error;
  }
  forgetJob(directory);
}

function readNote(directory: string): z.output<typeof noteSchema> | undefined {
  const path = jobNotePath(directory);
  if (!existsSync(path)) return undefined;
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined; // it was being written when its writer died: there was no job yet
  }
}
