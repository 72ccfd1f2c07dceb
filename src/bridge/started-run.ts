import type { ReplyOf } from "../protocol/operations.js";
import type { RunManifest } from "../runs/run-manifest.js";
import type { RunRecord } from "./run-record.js";

/** A run whose training can begin. */
export class StartedRun {
  /** Absolute path of the run directory. */
  readonly directory: string;
  /** Training windows of the corpus. */
  readonly windows: number;
  /** The step that training goes on from: that of the checkpoint that a run is resumed from or begins with, else 0. */
  readonly fromStep: number;
  /** The newest recorded step of a resumed run, up to which steps are computed a second time; −1 for none. */
  readonly recordedStep: number;
  /** What was wrong with newer checkpoints of a resumed run. */
  readonly rejectedCheckpoints: readonly string[];
  readonly #record: RunRecord;

  constructor(record: RunRecord, reply: ReplyOf<"trainer.create">) {
    this.#record = record;
    this.directory = record.directory;
    this.windows = reply.windows;
    this.fromStep = reply.from_step;
    this.recordedStep = reply.recorded_step;
    this.rejectedCheckpoints = reply.rejected_checkpoints;
  }

  /** `run.json` as it is now. */
  get manifest(): RunManifest {
    return this.#record.manifest;
  }
}
