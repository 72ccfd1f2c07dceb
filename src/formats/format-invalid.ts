import { BhBridgeError } from "../errors.js";

/** The error for a file whose bytes contradict its format: names the file, the byte offset and the reason. */
export function formatInvalid(path: string, offset: number, reason: string, cause?: unknown): BhBridgeError {
  return new BhBridgeError("FORMAT_INVALID", `${path} is damaged or not what its name says: at byte ${offset}, ${reason}`, {
    offset,
    ...(cause === undefined ? {} : { cause }),
  });
}
