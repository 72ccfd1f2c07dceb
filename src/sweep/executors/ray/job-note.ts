import { existsSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { durableWrite } from "../../../formats/durable-write.js";
import { hasJobEnded, RayCluster } from "./ray-cluster.js";

const noteSchema = z.strictObject({ address: z.string(), job: z.string() });
type JobNote = z.output<typeof noteSchema>;

/** Ray ends a job within seconds. */
const endMs = 60_000;
const answerMs = 10_000;
const pollMs = 500;
/** A job ends itself 60 s after the last contact with its controller; its trials then have 30 s for their steps and checkpoints. */
const silentMs = 180_000;

/** The file that records the current job of a sweep's directory. Workers look for it to detect whether they share the directory's storage. */
export function jobNotePath(directory: string): string {
  return join(directory, "ray.json");
}

/** Record the job of a directory. @returns the file's content. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function noteJob(directory: string, address: string, job: string): string {
  const text = `${JSON.stringify({ address, job })}\n`;
  durableWrite(jobNotePath(directory), text);
  return text;
}

/** Record that the job has just answered, as the modification time of the note. */
export function noteContact(directory: string): void {
  const now = new Date();
  try {
    utimesSync(jobNotePath(directory), now, now);
  } catch {
    // the directory is unwritable or was removed; writing a run reports it
  }
}

export function forgetJob(directory: string): void {
  rmSync(jobNotePath(directory), { force: true });
}

/**
 * End the job that an earlier controller left on a cluster, and wait until it has ended, because its workers write the runs to be resumed. The note is removed
 * only after that.
 * @param patienceMs how long to retry an unreachable cluster (default: one attempt).
 * @throws {BhBridgeError} `RUN_LOCKED` if the job does not end, `EXECUTOR_UNAVAILABLE` if the cluster does not answer and the job may still run, `ABORTED`.
 */
export async function endEarlierJob(directory: string, { patienceMs = 0, signal }: { patienceMs?: number; signal?: AbortSignal } = {}): Promise<void> {
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
      throw new BhBridgeError("RUN_LOCKED", `${directory} has a job on ${note.address} that does not end. Stop it with: ray job stop ${note.job}`);
    }
    await after(pollMs, undefined, { signal }).catch(() => undefined); // cancelled
  }
}

async function hasEnded(cluster: RayCluster, { job }: JobNote): Promise<boolean> {
  const state = await cluster.job(job, AbortSignal.timeout(answerMs));
  return state === undefined || hasJobEnded(state);
}

/** A job on an unreachable cluster may still write, unless it has been without a controller for so long that it has ended itself. */
function requireSilence(directory: string, { address, job }: JobNote, cause: BhBridgeError): void {
  const leftMs = statSync(jobNotePath(directory)).mtimeMs + silentMs - Date.now();
  if (leftMs <= 0) return;
  throw new BhBridgeError(
    "EXECUTOR_UNAVAILABLE",
    `${directory} has the job ${job} on ${address}, which may still write and does not answer: ${cause.message}. Run the command again when the cluster answers, or in ${Math.ceil(leftMs / 1000)} s, when a job without a controller has ended itself`,
    { cause },
  );
}

function readNote(directory: string): JobNote | undefined {
  const path = jobNotePath(directory);
  if (!existsSync(path)) return undefined;
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined; // its writer died while writing it, before there was a job
  }
}
