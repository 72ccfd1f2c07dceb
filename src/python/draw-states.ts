import { join } from "node:path";
import { execa } from "execa";
import { BhBridgeError } from "../errors.js";
import { lastLines } from "./last-lines.js";
import { packageRoot } from "./package-root.js";
import { pythonVariables } from "./python-variables.js";

/** What `python/bh_bridge/scripts/draw_states.py` is asked. */
export interface StatesRequest {
  readonly init: object;
  readonly dtype: string;
  readonly vocab: number;
  readonly dim: number;
  readonly initializer_range: number;
  readonly seed: number;
  readonly draws: number;
}

const quotedLines = 5;

/**
 * Draw initial states with torch, one after the other; no more than two are in memory.
 *
 * @param stateBytes of one state.
 * @returns the bytes of each; the array is used again for the next.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when the interpreter cannot do it, with its last words; `ABORTED`.
 */
export async function* drawStates(interpreter: string, request: StatesRequest, stateBytes: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const subprocess = execa(interpreter, [join(packageRoot, "python", "bh_bridge", "scripts", "draw_states.py"), JSON.stringify(request)], {
    reject: false,
    stdin: "ignore",
    buffer: { stdout: false },
    encoding: "buffer",
    env: pythonVariables(),
    ...(signal && { cancelSignal: signal }),
  });
  const state = new Uint8Array(stateBytes);
  let filled = 0;
  let drawn = 0;
  try {
    for await (const piece of subprocess.iterable({ from: "stdout", binary: true })) {
      for (let at = 0; at < piece.length; ) {
        const taken = Math.min(piece.length - at, stateBytes - filled);
        state.set(piece.subarray(at, at + taken), filled);
        at += taken;
        filled += taken;
        if (filled < stateBytes) continue;
        filled = 0;
        drawn++;
        yield state;
      }
    }
  } finally {
    if (drawn < request.draws) subprocess.kill("SIGKILL"); // nobody listens any more
  }
  const result = await subprocess;
  if (drawn === request.draws) return;
  if (result.isCanceled || result.signal === "SIGINT") throw new BhBridgeError("ABORTED", "the simulation was stopped", { cause: result });
  const said = lastLines(Buffer.from(result.stderr).toString("utf8"), quotedLines).join(" / ");
  throw new BhBridgeError("PYTHON_NOT_FOUND", `${interpreter} drew ${drawn} of ${request.draws} states and ended. It said: ${said || "nothing"}`, {
    cause: result,
  });
}
