import { BhBridgeError } from "../errors.js";
import { containedFile } from "../formats/contained-file.js";
import { type Json, readJson } from "../formats/read-json.js";

/**
 * The value in a JSON file of a run.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND` when it cannot be read; `RUN_CORRUPT` when it is not JSON, has a name twice, or leads out of the run.
 */
export function readRunJson(directory: string, name: string): Json {
  try {
    return readJson(containedFile(directory, name));
  } catch (cause) {
    if (!(cause instanceof BhBridgeError)) throw cause;
    if (cause.code === "FORMAT_INVALID") throw new BhBridgeError("RUN_CORRUPT", cause.message, { cause });
    throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: it has no readable ${name}`, { cause });
  }
}
