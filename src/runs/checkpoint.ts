import { existsSync } from "node:fs";
import { sep } from "node:path";
import { BhBridgeError } from "../errors.js";
import type { TrainerState } from "../formats/hf/hf-directory.js";
import type { Matrix, RowSource } from "../formats/matrix.js";
import type { Json } from "../formats/read-json.js";
import type { TensorInfo } from "../formats/stored-tensor.js";
import { runsFolder } from "./run-layout.js";

/** Everything that `openCheckpoint` opens, by kind. */
export const checkpointKinds = [
  "safetensors",
  "safetensors-sharded",
  "torch-zip",
  "hf-checkpoint",
  "hf-optimizer",
  "run",
  "history",
  "hdf5",
  "npy",
  "npz",
] as const;
/** Kind of a file or directory with tensors. */
export type CheckpointKind = (typeof checkpointKinds)[number];

/** An open file or directory of tensors. Opening reads metadata only; tensors are read on demand. */
export interface Checkpoint extends AsyncDisposable {
  readonly path: string;
  readonly kind: CheckpointKind;
  readonly tensors: readonly TensorInfo[];
  /** Metadata of the file: safetensors metadata, plain values of a torch archive, `config.json`, `run.json`. */
  readonly metadata: Readonly<Record<string, Json>>;
  /** The Hugging Face Trainer's state of a checkpoint directory. */
  readonly trainerState?: TrainerState;
  /** Python names that loading a torch archive in torch would call, beyond tensors and dicts. Nothing was called here. */
  readonly inertGlobals: readonly string[];
  /**
   * A whole tensor in memory.
   * @param name as in `tensors`; GPT-2 names are found with and without `transformer.` in front.
   * @throws {BhBridgeError} `TENSOR_NOT_FOUND` naming the nearest names; `FORMAT_UNSUPPORTED` for element types that are only listed; `ABORTED`.
   */
  matrix(name: string, options?: { signal?: AbortSignal | undefined }): Promise<Matrix>;
  /** A tensor's rows, to read in parts while the checkpoint is open. @throws {BhBridgeError} as `matrix`. */
  rows(name: string): Promise<RowSource>;
  close(): Promise<void>;
}

/**
 * Resolve a path: the path if it exists, else the run of that name or prefix in the folder of runs.
 * @throws {BhBridgeError} `USAGE` if several runs match.
 */
export async function findPath(given: string, out: string = runsFolder): Promise<string> {
  if (existsSync(given) || given.includes(sep) || !existsSync(out)) return given;
  const { directoryOfRun } = await import("./scan-runs.js"); // an existing path requires no reader of runs
  try {
    return await directoryOfRun(given, out);
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "RUN_NOT_FOUND") return given; // opening it reports what is missing
    throw error;
  }
}
