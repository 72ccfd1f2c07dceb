import { existsSync } from "node:fs";
import { sep } from "node:path";
import { BhBridgeError } from "../../errors.js";

/** A file or directory, and the tensor in it that is meant. */
export interface Target {
  readonly path: string;
  readonly tensor?: string;
}

const separator = "::";
const runsFolder = "runs";

/** Take `LEFT::RIGHT` apart; a file that has the two colons in its own name is found too. */
export function splitTarget(text: string): [left: string, right: string | undefined] {
  const at = text.lastIndexOf(separator);
  return at <= 0 || existsSync(text) ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** What `FILE[::TENSOR]` means, FILE being a path, or a run's name or the beginning of one. @throws {BhBridgeError} as `findPath`. */
export async function findTarget(text: string): Promise<Target> {
  const [left, tensor] = splitTarget(text);
  const path = await findPath(left);
  return tensor === undefined ? { path } : { path, tensor };
}

/**
 * The path that is meant: what exists, else the run of that name, or with that beginning, in the folder of runs.
 *
 * @throws {BhBridgeError} `USAGE` when several runs are meant.
 */
export async function findPath(given: string, out = runsFolder): Promise<string> {
  if (existsSync(given) || given.includes(sep) || !existsSync(out)) return given;
  const [{ resolveRun }, { noLockHolders }] = await Promise.all([import("../../runs/resolve-run.js"), import("../../runs/scan-runs.js")]);
  try {
    return (await resolveRun(given, out, noLockHolders)).directory;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "RUN_NOT_FOUND") return given; // whoever opens it says what is missing
    throw error;
  }
}
