import type { UsablePython } from "../../python/resolve-python.js";
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
