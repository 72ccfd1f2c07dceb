import { BhBridgeError } from "../errors.js";

/** Check a number of workers that a caller gives. @throws {BhBridgeError} `USAGE`. */
export function requireWorkers(workers: number | undefined): void {
  if (workers === undefined || (Number.isInteger(workers) && workers >= 1)) return;
  throw new BhBridgeError("USAGE", `workers is a whole number above 0, not ${workers}`);
}
