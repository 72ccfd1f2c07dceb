import { BhBridgeError } from "../errors.js";
import { itemSizes, Matrix } from "./matrix.js";
import type { StoredTensor } from "./stored-tensor.js";

/** So many bytes are read at a time: about 10 ms from memory, between which others have their turn. */
const pieceBytes = 64 * 2 ** 20;

/**
 * A whole tensor in memory, read in pieces.
 *
 * @throws {BhBridgeError} `ABORTED` by the signal; `FORMAT_UNSUPPORTED`, `FORMAT_INVALID`.
 */
export async function loadMatrix(tensor: StoredTensor, signal?: AbortSignal): Promise<Matrix> {
  const source = tensor.rows();
  const { rows, columns, dtype } = source;
  const rowBytes = columns * itemSizes[dtype];
  const bytes = new Uint8Array(rows * rowBytes);
  const rowsAtATime = Math.max(1, Math.floor(pieceBytes / Math.max(1, rowBytes)));
  for (let first = 0; first < rows; first += rowsAtATime) {
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `reading tensor "${tensor.name}" was cancelled`, { cause: signal.reason });
    const count = Math.min(rowsAtATime, rows - first);
    source.read(first, count, bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    if (first + count < rows) await new Promise((resolve) => setImmediate(resolve));
  }
  return new Matrix(dtype, tensor.shape, bytes);
}
