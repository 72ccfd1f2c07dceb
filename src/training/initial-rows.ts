import type { Init } from "../config/init-schema.js";
import type { Matrix } from "../formats/matrix.js";
import { readState } from "../formats/read-state.js";

/**
 * The rows of `init.kind: "file"`: a matrix of a file, or a recorded state.
 *
 * @throws {BhBridgeError} what opening the file gives.
 */
export async function loadInitialRows(init: Extract<Init, { kind: "file" }>): Promise<Matrix> {
  const { openHistory } = await import("../formats/open-history.js");
  const history = await openHistory(init.path, init.tensor);
  try {
    return readState(history, init.step ?? history.states - 1);
  } finally {
    history.close();
  }
}
