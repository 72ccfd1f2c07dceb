import { createInterface } from "node:readline";
import type { UsablePython } from "../../python/require-packages.js";
import type { RepositoryState } from "../../runs/git-state.js";
import type { Sent } from "./sent-files.js";
import type { TrialEnd, TrialTask } from "./trial-task.js";

/** What a worker is told once, before its first trial. */
export interface WorkerSetup {
  python: Pick<UsablePython, "path">;
  /** The cores that its Python keeps to; null lets it run on any. */
  cores: number[] | null;
  /** Where the files lie that configurations name; a worker that sees them in their own places has none. */
  sent?: Sent;
  /** The repository that the runs are to note; a worker that stands in it finds it by itself. */
  repository?: RepositoryState | null;
  /** The device that `auto` and `cuda` stand for here: a worker has one GPU of its own. */
  gpu: number | null;
}

/** What a controller tells its worker. */
export type WorkerOrder =
  | { kind: "setup"; setup: WorkerSetup }
  /** One trial, or those of a stack together. */
  | { kind: "train"; tasks: TrialTask[] }
  | { kind: "stop" }
  | { kind: "leave" };

/** What a worker tells its controller; `place` says which of the trials it is that are trained together, counted from 0. */
export type WorkerReport = { place: number } & (
  | { kind: "started"; run: string; fromStep: number }
  | { kind: "step"; step: number; loss: number | null }
  | { kind: "ended"; end: TrialEnd }
);

/** How a worker hears its controller. */
interface WorkerChannel {
  tell(report: WorkerReport): void;
  /** Hear no more, so that this process can end. */
  close(): void;
}

/**
 * Open the channel of this process: that of `fork`, or, where its parent is no Node, a line of JSON each way on stdin and stdout.
 *
 * @param onGone called when the other end has closed: whoever starts a worker ends it by dying.
 */
export function openWorkerChannel(onOrder: (order: WorkerOrder) => void, onGone: () => void): WorkerChannel {
  if (process.send) {
    process.on("message", onOrder).on("disconnect", onGone);
    return { tell: (report) => void process.send?.(report), close: () => process.disconnect() };
  }
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => onOrder(JSON.parse(line)));
  process.stdin.on("end", onGone);
  return {
    tell: (report) => void process.stdout.write(`${JSON.stringify(report)}\n`),
    close: () => {
      lines.close();
      process.stdin.destroy();
    },
  };
}
