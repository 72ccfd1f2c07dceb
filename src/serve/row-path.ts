import { decodeElements } from "../analysis/decode-elements.js";
import { type PathBasis, seenFrom } from "../analysis/path-basis.js";
import { spreadStates } from "../analysis/spread-states.js";
import { BhBridgeError } from "../errors.js";
import { FileBytes } from "../formats/file-bytes.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";

/** Where a row was at states evenly spread over its history. */
interface RowPath {
  states: number[];
  /** Coordinates in the basis, one list a state. */
  places: number[][];
}

/**
 * The way of one row through the whole training, in the directions of a basis. Only its own bytes are read.
 *
 * @throws {BhBridgeError} `USAGE` for a row that there is not; `FORMAT_UNSUPPORTED` where the states do not lie in a plain file.
 */
export function rowPath(history: History, basis: Pick<PathBasis, "center" | "axes">, row: number, most: number): RowPath {
  const { states, tokens, dims, dtype, raw, source } = history;
  if (row >= tokens) throw new BhBridgeError("USAGE", `${source} has the rows 0 to ${tokens - 1}, not ${row}`);
  if (!raw) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${source} is packed: the way of one row cannot be read without all others`);
  const rowBytes = dims * itemSizes[dtype];
  const bytes = new Uint8Array(rowBytes);
  const values = new Float64Array(dims);
  const file = new FileBytes(raw.path);
  try {
    const path: RowPath = { states: [], places: [] };
    for (const state of spreadStates(states, most)) {
      file.readInto(raw.offset + (state * tokens + row) * rowBytes, bytes, `row ${row} of state ${state}`);
      decodeElements(dtype, bytes, values);
      if (!values.every(Number.isFinite)) continue;
      path.states.push(state);
      path.places.push(seenFrom(basis, values));
    }
    return path;
  } finally {
    file.close();
  }
}
