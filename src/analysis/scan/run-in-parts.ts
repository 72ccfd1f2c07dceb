import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { BhBridgeError, type ErrorCode } from "../../errors.js";
import type { RawBytes } from "../../formats/state-checks.js";
import type { CensusHashes, HashRequest } from "../census/row-hashes.js";
import type { ScanOptions } from "./observation.js";
import type { RangeScan, ScanRequest } from "./scan-range.js";

/** What a worker thread is asked to do with a part of a plain file, whose bytes begin at `offset`. */
export type WorkerTask = RawBytes &
  (
    | {
        readonly kind: "scan";
        readonly request: ScanRequest;
        /** Of each observation, the module that exports it. */
        readonly modules: readonly string[];
      }
    | { readonly kind: "hash"; readonly request: HashRequest }
  );

/** What each kind of task results in. */
interface WorkerResults {
  readonly scan: RangeScan;
  readonly hash: CensusHashes;
}

/** What a task results in. */
export type ResultOf<Task extends WorkerTask> = WorkerResults[Task["kind"]];

/** What it answers: how much is done, and at last the result or the error. */
export type WorkerAnswer =
  | { readonly kind: "progress"; readonly done: number }
  | { readonly kind: "scan"; readonly result: RangeScan }
  | { readonly kind: "hash"; readonly result: CensusHashes }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly message: string };

const extension = extname(import.meta.url);
const workerFile = new URL(`./scan-worker${extension}`, import.meta.url);
/** Node runs TypeScript sources (in tests and benches) with a loader only. */
const loader = extension === ".ts" ? ["--import", new URL("../../../scripts/typescript-loader.mjs", import.meta.url).href] : [];

/** One task in a thread of its own. */
interface WorkerRun<Result> {
  /** Rejects with the worker's error as it was thrown there, or when the thread ends without an answer. */
  readonly result: Promise<Result>;
  stop(): Promise<void>;
}

/** Start a task in a worker thread. @param onProgress called with how much of it is done. */
export function runInWorker<Task extends WorkerTask>(task: Task, onProgress: (done: number) => void): WorkerRun<ResultOf<Task>> {
  const worker = new Worker(workerFile, { workerData: task, execArgv: loader });
  const result = new Promise<ResultOf<Task>>((resolve, reject) => {
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "progress") onProgress(answer.done);
      else if (answer.kind === "error") reject(new BhBridgeError(answer.code, answer.message));
      else resolve(answer.result as ResultOf<Task>);
    });
    worker.on("error", (cause) => reject(new BhBridgeError("INTERNAL", `a worker thread that reads ${task.path} failed: ${cause.message}`, { cause })));
    // After an answer this rejects nothing: a promise settles once.
    worker.on("exit", (code) => reject(new BhBridgeError("INTERNAL", `a worker thread that reads ${task.path} ended early (exit code ${code})`)));
  });
  return {
    result,
    async stop() {
      await worker.terminate();
    },
  };
}

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
