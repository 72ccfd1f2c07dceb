import type { Dtype } from "./matrix.js";
import type { RowTokens } from "./row-tokens.js";
import type { RawBytes } from "./state-checks.js";

/**
 * The rows of one tensor, read from its file a few at a time, so that memory does not grow with the tensor.
 *
 * Rows run over the last dimension, as in `Matrix`: `[a, b, c]` has a·b rows of c columns.
 */
export interface RowSource {
  /** What the rows were read from, for messages and documents. */
  readonly source: string;
  readonly dtype: Dtype;
  readonly rows: number;
  readonly columns: number;
  /** Which token each row is; row i is token i when absent. */
  readonly rowTokens?: RowTokens;
  /** Where all rows lie as contiguous little-endian bytes in a plain file, so that workers can read them; absent otherwise. */
  readonly raw?: RawBytes;
  /**
   * Copy the rows `first` to `first + count − 1` into `target`, which holds exactly their bytes.
   *
   * @throws {BhBridgeError} `FORMAT_INVALID` when the file ends early; `RUN_CORRUPT` for a damaged snapshot of a recorded history.
   */
  read(first: number, count: number, target: Uint8Array): void;
}
