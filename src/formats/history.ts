import type { Dtype } from "./matrix.js";
import type { RowTokens } from "./row-tokens.js";
import type { RawBytes } from "./state-checks.js";

/**
 * The states of an embedding matrix over a training, in order: `[states, tokens, dims]`, state 0 before training.
 *
 * Read front to back in pieces, so that memory does not grow with the number of states.
 */
export interface History {
  /** What the states were read from, for messages and documents. */
  readonly source: string;
  readonly dtype: Dtype;
  readonly states: number;
  readonly tokens: number;
  readonly dims: number;
  /** The training step of each state, where a run recorded it; absent when state i is step i. */
  readonly steps?: readonly number[];
  /** Which token each row is: a run may have recorded chosen ones alone. */
  readonly rowTokens: RowTokens;
  /** Where the states lie as raw, contiguous, uncompressed bytes, so that workers can read them; absent otherwise (HDF5). */
  readonly raw?: RawBytes;
  /**
   * Copy the states `first` to `first + count − 1` into `target`, which holds exactly their bytes.
   *
   * @throws {BhBridgeError} `FORMAT_INVALID` when the file ends early; `RUN_CORRUPT` naming file, step and token when the checksum of a state does not hold.
   */
  read(first: number, count: number, target: Uint8Array): void;
  close(): void;
}
