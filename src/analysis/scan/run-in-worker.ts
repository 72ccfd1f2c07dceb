import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { BhBridgeError } from "../../errors.js";
import type { ResultOf, WorkerAnswer, WorkerTask } from "./worker-task.js";

const extension = extname(import.meta.url);
const workerFile = new URL(`./scan-worker${extension}`, import.meta.url);
/** Node runs TypeScript sources (in tests and benches) with a loader only. */
const loader = extension === ".ts" ? ["--import", "jiti/register"] : [];

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
