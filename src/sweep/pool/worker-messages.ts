import type { UsablePython } from "../../python/resolve-python.js";
import type { TrialEnd, TrialTask } from "./trial-task.js";

/** What a worker is told once, before its first trial. */
export interface WorkerSetup {
  python: Pick<UsablePython, "path">;
  /** The cores that its Python keeps to; null lets it run on any. */
  cores: number[] | null;
  /** Folder of the texts, each called by its SHA-256, where it was sent along; a text that is read where its configuration says has none. */
  corpora?: string;
  /** The device that `auto` and `cuda` stand for here: a worker has one GPU of its own. */
  gpu: number | null;
}

/** What a controller tells its worker. */
export type WorkerOrder = { kind: "setup"; setup: WorkerSetup } | { kind: "train"; task: TrialTask } | { kind: "stop" } | { kind: "leave" };

/** What a worker tells its controller. */
export type WorkerReport =
  | { kind: "started"; run: string; fromStep: number }
  | { kind: "step"; step: number; loss: number | null }
  | { kind: "ended"; end: TrialEnd };
