import { existsSync } from "node:fs";
import { sep } from "node:path";
import { BhBridgeError } from "../errors.js";
import { runsFolder } from "./run-layout.js";

/**
 * The path that is meant: what exists, else the run of that name, or with that beginning, in the folder of runs.
 *
 * @throws {BhBridgeError} `USAGE` when several runs are meant.
 */
export async function findPath(given: string, out: string = runsFolder): Promise<string> {
  if (existsSync(given) || given.includes(sep) || !existsSync(out)) return given;
  const { directoryOfRun } = await import("./resolve-run.js"); // a path that is there needs nothing that reads runs
  try {
    return await directoryOfRun(given, out);
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "RUN_NOT_FOUND") return given; // whoever opens it says what is missing
    throw error;
  }
}
