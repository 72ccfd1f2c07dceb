import { createInterface } from "node:readline";
import type { UsablePython } from "../../python/require-packages.js";
import type { RepositoryState } from "../../runs/git-state.js";
import type { Sent } from "./sent-files.js";
import type { TrialEnd, TrialTask } from "./trial-task.js";

/** Settings of a worker, sent before its first trial. */
export interface WorkerSetup {
  python: Pick<UsablePython, "path">;
  /** The cores that its Python is bound to; null for any. */
  cores: number[] | null;
  /** Absent for a worker that sees the files under their own paths. */
  sent?: Sent;
  /** The repository that the runs record; a worker inside it detects it. */
  repository?: RepositoryState | null;
  /** The device that `auto` and `cuda` stand for here. */
  gpu: number | null;
}

export type WorkerOrder =
  | { kind: "setup"; setup: WorkerSetup }
  /** One trial, or a batch. */
  | { kind: "train"; tasks: TrialTask[] }
  | { kind: "stop" }
  | { kind: "leave" };

/** Report of a worker; `index` is the index of a trial within its batch. */
export type WorkerReport = { index: number } & (
  | { kind: "started"; run: string; fromStep: number }
  | { kind: "step"; step: number; loss: number | null }
  | { kind: "ended"; end: TrialEnd }
);

interface WorkerChannel {
  send(report: WorkerReport): void;
  /** Stop listening, so that this process can exit. */
  close(): void;
}

/**
 * Open the channel of this process: the IPC of `fork`, or JSON lines on stdin and stdout if the parent is not Node.
 * @param onGone called when the other end has closed: a worker ends with its parent.
 */
export function openWorkerChannel(onOrder: (order: WorkerOrder) => void, onGone: () => void): WorkerChannel {
  if (process.send) {
    process.on("message", onOrder).on("disconnect", onGone);
    return { send: (report) => void process.send?.(report), close: () => process.disconnect() };
  }
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => onOrder(JSON.parse(line)));
  process.stdin.on("end", onGone);
  return {
    send: (report) => void process.stdout.write(`${JSON.stringify(report)}\n`),
    close: () => {
      lines.close();
      process.stdin.destroy();
    },
  };
}
