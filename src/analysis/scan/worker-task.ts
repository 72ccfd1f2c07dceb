import type { ErrorCode } from "../../errors.js";
import type { RawBytes } from "../../formats/state-checks.js";
import type { CensusHashes, HashRequest } from "./hash-rows.js";
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
