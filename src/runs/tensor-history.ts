import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import { historyLabels } from "./history-labels.js";
import type { OwnLabels } from "./own-labels.js";

/**
 * A 3-D tensor `[states, tokens, dims]` read as a history.
 *
 * @param own what its file says of it: how many of its states have been recorded so far, so that the others do not count, and which tokens its rows are.
 * @param close called once, when the history is closed.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` when the tensor has another number of dimensions; `FORMAT_INVALID` when the run around it contradicts it.
 */
export async function tensorHistory(tensor: StoredTensor, source: string, own: OwnLabels, close: () => void): Promise<History> {
  const [states, tokens, dims, ...more] = tensor.shape;
  if (states === undefined || tokens === undefined || dims === undefined || more.length > 0) {
    const shape = `[${tensor.shape.join(", ")}]`;
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `tensor "${tensor.name}" of ${source} is not a history: the shape is ${shape}, not [states, tokens, dims]`);
  }
  const rows = tensor.rows();
  const recorded = rows.raw?.checks?.crcs.length ?? own.states ?? states;
  const { steps, rowTokens } = await historyLabels(rows, tokens, own.tokens);
  const stateBytes = tokens * dims * itemSizes[rows.dtype];
  return {
    source,
    dtype: rows.dtype,
    states: recorded,
    tokens,
    dims,
    ...(steps && { steps }),
    rowTokens,
    ...(rows.raw ? { raw: rows.raw } : {}),
    read: (first, count, target) => rows.read(first * tokens, count * tokens, target.subarray(0, count * stateBytes)),
    close,
  };
}
