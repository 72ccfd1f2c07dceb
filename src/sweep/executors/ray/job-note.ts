import { existsSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { durableWrite } from "../../../formats/durable-write.js";
import { hasJobEnded, RayCluster } from "./ray-cluster.js";

const noteSchema = z.strictObject({ address: z.string(), job: z.string() });
type JobNote = z.output<typeof noteSchema>;

/** Ray ends a job within some seconds of being asked. */
const endMs = 60_000;
/** A question that takes longer has no answer. */
const answerMs = 10_000;
const lookAgainMs = 500;
/** A job ends by itself when its controller has been silent for 60 s; its trials then have 30 s for their steps and checkpoints. */
const silentMs = 180_000;

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

/** Note that the job has just answered: the time of the note's last change says when it was last known to have a controller. */
export function noteContact(directory: string): void {
  const now = new Date();
  try {
    utimesSync(jobNotePath(directory), now, now);
  } catch {
    // the directory cannot be written to at the moment, or was removed: whoever writes a run says so
  }
}

/** The job that was noted has ended. */
export function forgetJob(directory: string): void {
  rmSync(jobNotePath(directory), { force: true });
}

/** How a job that an earlier controller has left is ended. */
interface EndOptions {
  /** How long to ask a cluster that cannot be reached; default: once. */
  patienceMs?: number;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

/**
 * End the job that an earlier controller of a directory has left on its cluster, and wait until it has ended: its workers write the runs that are to be gone
 * on with. The note goes when the cluster says that the job has ended, and not before.
 *
 * @throws {BhBridgeError} `RUN_LOCKED` where the job does not end; `EXECUTOR_UNAVAILABLE` where the cluster cannot be asked and the job may still run;
 * `ABORTED`.
 */
export async function endEarlierJob(directory: string, { patienceMs = 0, signal }: EndOptions = {}): Promise<void> {
  const note = readNote(directory);
  if (note === undefined) return;
  const cluster = new RayCluster(note.address);
  const began = performance.now();
  let isAsked = false;
  for (;;) {
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `ending the job ${note.job} on ${note.address} was cancelled`);
    try {
      if (await hasEnded(cluster, note)) return forgetJob(directory);
      if (!isAsked) await cluster.stop(note.job, AbortSignal.timeout(answerMs));
      isAsked = true;
    } catch (error) {
      if (!(error instanceof BhBridgeError)) throw error;
      if (performance.now() - began >= patienceMs) return requireSilence(directory, note, error);
    }
    if (isAsked && performance.now() - began > Math.max(endMs, patienceMs)) {
      throw new BhBridgeError("RUN_LOCKED", `${directory} has a job on ${note.address} that does not end: stop it with: ray job stop ${note.job}`);
    }
    await after(lookAgainMs, undefined, { signal }).catch(() => undefined); // cancelled
  }
}

async function hasEnded(cluster: RayCluster, { job }: JobNote): Promise<boolean> {
  const state = await cluster.job(job, AbortSignal.timeout(answerMs));
  return state === undefined || hasJobEnded(state);
}

/** A cluster that cannot be asked may have a job that still writes, unless that has been without a controller for so long that it has ended by itself. */
function requireSilence(directory: string, { address, job }: JobNote, cause: BhBridgeError): void {
  const leftMs = statSync(jobNotePath(directory)).mtimeMs + silentMs - Date.now();
  if (leftMs <= 0) return;
  throw new BhBridgeError(
    "EXECUTOR_UNAVAILABLE",
    `${directory} has the job ${job} on ${address}, which cannot be asked whether it still writes: ${cause.message}. Give the command again when the cluster can be reached, or in ${Math.ceil(leftMs / 1000)} s: a job without its controller ends by itself`,
    { cause },
  );
}

function readNote(directory: string): JobNote | undefined {
  const path = jobNotePath(directory);
  if (!existsSync(path)) return undefined;
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined; // it was being written when its writer died: there was no job yet
  }
}
