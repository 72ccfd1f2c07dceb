import { existsSync } from "node:fs";
import { sep } from "node:path";
import { BhBridgeError } from "../errors.js";

const runsFolder = "runs";

/**
 * The path that is meant: what exists, else the run of that name, or with that beginning, in the folder of runs.
 *
 * @throws {BhBridgeError} `USAGE` when several runs are meant.
 */
export async function findPath(given: string, out = runsFolder): Promise<string> {
  if (existsSync(given) || given.includes(sep) || !existsSync(out)) return given;
  const [{ resolveRun }, { noLockHolders }] = await Promise.all([import("./resolve-run.js"), import("./scan-runs.js")]);
  try {
    return (await resolveRun(given, out, noLockHolders)).directory;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "RUN_NOT_FOUND") return given; // whoever opens it says what is missing
    throw error;
  }
}
