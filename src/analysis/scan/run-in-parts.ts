import { availableParallelism } from "node:os";
import { BhBridgeError } from "../../errors.js";
import { runInWorker } from "./run-in-worker.js";
import type { ScanOptions } from "./scan-options.js";
import type { WorkerTask } from "./worker-task.js";

/** Beyond this the memory bus is the limit, and every thread takes some ten megabytes. */
const maxWorkers = 8;

/**
 * How many worker threads to use.
 *
 * @param cost bytes to be read, weighted by the work on each; a thread that has less than `costPerWorker` of it is not worth its start.
 */
export function workerCount(cost: number, costPerWorker: number, { workers }: ScanOptions): number {
  if (workers !== undefined) return workers;
  const worthwhile = Math.min(availableParallelism(), maxWorkers, Math.floor(cost / costPerWorker));
  // One worker would only do what this thread can do itself.
  return worthwhile > 1 ? worthwhile : 0;
}

/** Cut `count` things into `parts` ranges of nearly the same length, none of them empty. */
export function cutEvenly(count: number, parts: number): { first: number; end: number }[] {
  const used = Math.max(Math.min(parts, count), 1);
  return Array.from({ length: used }, (_, part) => ({ first: Math.floor((part * count) / used), end: Math.floor(((part + 1) * count) / used) }));
}

function aborted(): BhBridgeError {
  return new BhBridgeError("ABORTED", "the analysis was stopped");
}

/** @throws {BhBridgeError} `ABORTED` when the caller has asked for an end. */
function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
}

/** Run tasks side by side in worker threads; their results in order. The first failure, or an abort, stops all of them. */
export async function runInParts<Task extends WorkerTask>(tasks: readonly Task[], total: number, { signal, onProgress }: ScanOptions) {
  checkAborted(signal);
  const done = tasks.map(() => 0);
  const runs = tasks.map((task, part) =>
    runInWorker(task, (partDone) => {
      done[part] = partDone;
      onProgress?.(
        done.reduce((sum, count) => sum + count, 0),
        total,
      );
    }),
  );
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(aborted());
    signal?.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([Promise.all(runs.map((run) => run.result)), stopped]);
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(runs.map((run) => run.stop()));
  }
}

/** How long this thread works before it lets others have their turn. */
const turnMs = 12;

/** Run a scan in this thread, giving way to the event loop every few milliseconds. */
export async function runHere<Result>(steps: Generator<number, Result>, total: number, { signal, onProgress }: ScanOptions): Promise<Result> {
  let turnEnds = performance.now() + turnMs;
  for (;;) {
    checkAborted(signal);
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < turnEnds) continue;
    onProgress?.(step.value, total);
    await new Promise((resolve) => setImmediate(resolve));
    turnEnds = performance.now() + turnMs;
  }
}
