import type { RetrainedConfig } from "../../../src/report/retraining.js";

/** What was recorded of each snapshot: as in `Retraining`, unpacked. */
export interface Recording {
  readonly steps: readonly number[];
  /** `[steps, 32]`. */
  readonly hashes: Uint8Array;
  /** `[steps, rows]`. */
  readonly rows: Uint8Array;
}

/** A training for the worker. */
export interface TrainingOrder {
  /** The bytes of portable.wasm. */
  readonly library: ArrayBuffer;
  readonly config: RetrainedConfig;
  readonly text: { readonly kind: "corpus" | "windows"; readonly tokens: Uint8Array };
  /** The last step. */
  readonly until: number;
  readonly deadTokens: readonly number[];
  readonly recording?: Recording | undefined;
  /** Whether snapshots have places in a plane. */
  readonly isSeen: boolean;
}

/** A snapshot of the embedding after a step. */
export interface Snapshot {
  readonly kind: "snapshot";
  readonly step: number;
  /** Of the step; undefined at step 0. */
  readonly loss: number | undefined;
  readonly counts: Counts;
  /** The first row with the same value, for each row. */
  readonly classes: Int32Array;
  /** Two coordinates of each row; empty unless `isSeen`. */
  readonly places: Float32Array;
  /** SHA-256 of all snapshots so far, one after another: of the data of the tensor in history.safetensors. */
  readonly sha256: string;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Whether its bits are those of the recording, and the rows that differ; undefined where nothing was recorded. */
  readonly comparison: Comparison | undefined;
}

export type Comparison = { readonly isEqual: true } | { readonly isEqual: false; readonly rows: readonly number[] };

/** Counts of a snapshot. A black hole is a value that two or more rows share. */
export interface Counts {
  /** Black holes, and rows in them. */
  readonly C: number;
  readonly P: number;
  /** Distinct rows. */
  readonly unique: number;
  /** Live and dead tokens that share their row with no other token. */
  readonly liveAlone: number;
  readonly deadAlone: number;
}

/** What the worker answers. It is `done` when the last step is made, or a snapshot differs. */
export type WorkerMessage = Snapshot | { readonly kind: "done" } | { readonly kind: "failed"; readonly message: string };

/** What the worker receives. A paused training waits. */
export type WorkerOrder = { readonly kind: "train"; readonly order: TrainingOrder } | { readonly kind: "pause"; readonly isPaused: boolean };
