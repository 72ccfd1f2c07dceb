import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { BhBridgeError, type ErrorCode } from "../../errors.js";
import type { RawBytes } from "../../formats/state-checks.js";
import type { CensusHashes, HashRequest } from "../census/row-hashes.js";
import type { ScanOptions } from "./observation.js";
import type { RangeScan, ScanRequest } from "./scan-range.js";

/** The task of a worker thread, for a part of a plain file. `modules` export the observations of a scan. */
export type WorkerTask = RawBytes &
  ({ readonly kind: "scan"; readonly request: ScanRequest; readonly modules: readonly string[] } | { readonly kind: "hash"; readonly request: HashRequest });

/** The result of a task. */
export type ResultOf<Task extends WorkerTask> = { readonly scan: RangeScan; readonly hash: CensusHashes }[Task["kind"]];

/** Messages of a worker thread: progress, then the result or the error. */
export type WorkerAnswer =
  | { readonly kind: "progress"; readonly done: number }
  | { readonly kind: "scan"; readonly result: RangeScan }
  | { readonly kind: "hash"; readonly result: CensusHashes }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly message: string };

const extension = extname(import.meta.url);
const workerFile = new URL(`./scan-worker${extension}`, import.meta.url);
/** Node needs a loader to run TypeScript sources, in tests and benchmarks. */
const loader = extension === ".ts" ? ["--import", new URL("../../../scripts/typescript-loader.mjs", import.meta.url).href] : [];

/** A task in a worker thread. */
interface WorkerRun<Result> {
  /** Rejects with the worker's error, or if the thread ends without an answer. */
  readonly result: Promise<Result>;
  stop(): Promise<void>;
}

/** Start a task in a worker thread. @param onProgress called with the completed amount. */
export function runInWorker<Task extends WorkerTask>(task: Task, onProgress: (done: number) => void): WorkerRun<ResultOf<Task>> {
  const worker = new Worker(workerFile, { workerData: task, execArgv: loader });
  const result = new Promise<ResultOf<Task>>((resolve, reject) => {
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "progress") onProgress(answer.done);
      else if (answer.kind === "error") reject(new BhBridgeError(answer.code, answer.message));
      else resolve(answer.result as ResultOf<Task>);
    });
    worker.on("error", (cause) => reject(new BhBridgeError("INTERNAL", `the worker thread reading ${task.path} failed: ${cause.message}`, { cause })));
    // No effect after an answer: a promise settles once.
    worker.on("exit", (code) => reject(new BhBridgeError("INTERNAL", `the worker thread reading ${task.path} ended early (exit code ${code})`)));
  });
  return {
    result,
    async stop() {
      await worker.terminate();
    },
  };
}

/** With more threads the memory bus is the limit, and each takes about ten megabytes. */
const maxWorkers = 8;

/** The number of worker threads to use. @param cost bytes to read, weighted by the work on each. @param costPerWorker minimum that is worth a thread's start. */
export function workerCount(cost: number, costPerWorker: number, { workers }: ScanOptions): number {
  if (workers !== undefined) return workers;
  const worthwhile = Math.min(availableParallelism(), maxWorkers, Math.floor(cost / costPerWorker));
  return worthwhile > 1 ? worthwhile : 0; // one worker gains nothing over this thread
}

/** Cut `count` items into `parts` ranges of nearly equal length, none of them empty. */
export function cutEvenly(count: number, parts: number): { first: number; end: number }[] {
  const used = Math.max(Math.min(parts, count), 1);
  return Array.from({ length: used }, (_, part) => ({ first: Math.floor((part * count) / used), end: Math.floor(((part + 1) * count) / used) }));
}

function aborted(): BhBridgeError {
  return new BhBridgeError("ABORTED", "the analysis was stopped");
}

/** Run tasks in parallel in worker threads, and return their results in order. The first failure, or an abort, stops all. */
export async function runInParts<Task extends WorkerTask>(tasks: readonly Task[], total: number, { signal, onProgress }: ScanOptions) {
  if (signal?.aborted) throw aborted();
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

/** Time between two yields to the event loop. */
const turnMs = 12;

/** Run a scan in this thread, yielding to the event loop every few milliseconds. */
export async function runHere<Result>(steps: Generator<number, Result>, total: number, { signal, onProgress }: ScanOptions): Promise<Result> {
  let turnEnds = performance.now() + turnMs;
  for (;;) {
    if (signal?.aborted) throw aborted();
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < turnEnds) continue;
    onProgress?.(step.value, total);
    await new Promise((resolve) => setImmediate(resolve));
    turnEnds = performance.now() + turnMs;
  }
}
