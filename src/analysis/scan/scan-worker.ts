// The thread that reads and scans one part of a file, started by run-in-parts.ts.
import { parentPort, workerData } from "node:worker_threads";
import { BhBridgeError } from "../../errors.js";
import { itemSizes } from "../../formats/matrix.js";
import { RawReader } from "../../formats/state-checks.js";
import { hashRows } from "../census/row-hashes.js";
import type { Observation } from "./observation.js";
import type { WorkerAnswer, WorkerTask } from "./run-in-parts.js";
import { scanRange } from "./scan-range.js";

function post(answer: WorkerAnswer): void {
  parentPort?.postMessage(answer);
}

/** Run a scan to its end and post its progress. */
function finish<Result>(steps: Generator<number, Result>): Result {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value;
    post({ kind: "progress", done: step.value });
  }
}

async function loadObservation(module: string): Promise<Observation<unknown>> {
  const { observation } = (await import(module)) as { observation?: Observation<unknown> };
  if (observation) return observation;
  throw new BhBridgeError(
    "USAGE",
    `${module} does not export "observation": field "module" of an observation must be the URL of a module that exports it by this name`,
  );
}

async function work(task: WorkerTask, file: RawReader): Promise<void> {
  const read =
    (itemBytes: number) =>
    (first: number, _count: number, target: Uint8Array): void =>
      file.readInto(first * itemBytes, target, "the rows");
  if (task.kind === "scan") {
    const { dtype, tokens, dims } = task.request;
    const observations = await Promise.all(task.modules.map(loadObservation));
    post({ kind: "scan", result: finish(scanRange(read(tokens * dims * itemSizes[dtype]), task.request, observations)) });
  } else {
    const { dtype, columns } = task.request;
    post({ kind: "hash", result: finish(hashRows(read(columns * itemSizes[dtype]), task.request)) });
  }
}

async function run(task: WorkerTask): Promise<void> {
  try {
    const file = new RawReader(task);
    try {
      await work(task, file);
    } finally {
      file.close();
    }
  } catch (error) {
    const code = error instanceof BhBridgeError ? error.code : "INTERNAL";
    post({ kind: "error", code, message: error instanceof Error ? error.message : String(error) });
  }
}

await run(workerData as WorkerTask);
