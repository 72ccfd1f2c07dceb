import type { RunConfig } from "../config/run-config-schema.js";
import type { History } from "../formats/history.js";

/** The run that a history is of: what else it recorded, and how it was trained. */
export interface RecordedRun {
  readonly config: RunConfig;
  readonly environment: { readonly device: string; readonly cpu_capability: string; readonly platform: string };
  /** Whether it began with the training state of a checkpoint, so that its first moments are not zero. */
  readonly goesOn: boolean;
  /** Tokens that its text does not have. */
  readonly deadTokens: readonly number[];
  /** The tensors that it recorded, by their names in `record.tensors`; those that were recorded later included. */
  readonly tensors: readonly string[];
  /** @throws {BhBridgeError} `TENSOR_NOT_FOUND`, and what reading its file throws. */
  open(tensor: string): Promise<History>;
  /** What the checksums beside a tensor say against its file, in words: nothing where it is as it was recorded. */
  damage?(tensor: string): Promise<readonly string[]>;
}
