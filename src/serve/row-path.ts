import { decodeElements } from "../analysis/elements.js";
import { type PathBasis, seenFrom } from "../analysis/geometry/path-basis.js";
import { spreadStates } from "../analysis/states.js";
import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { RawReader } from "../formats/state-checks.js";

/** Where a row was at states evenly spread over its history. */
interface RowPath {
  states: number[];
  /** Coordinates in the basis, one list a state. */
  places: number[][];
}

/** A checksum is of a whole state, so that a row of a large one costs the reading of all rows: the path then has fewer states. */
const checkedBytes = 256 * 2 ** 20;

/**
 * The way of one row through the whole training, in the directions of a basis. What the states' checksums need is read beside its own bytes.
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
  const file = new RawReader(raw);
  try {
    const path: RowPath = { states: [], places: [] };
    const affordable = raw.checks ? Math.max(2, Math.floor(checkedBytes / raw.checks.stateBytes)) : most;
    for (const state of spreadStates(states, Math.min(most, affordable))) {
      file.readInto((state * tokens + row) * rowBytes, bytes, `row ${row} of state ${state}`);
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
