import { existsSync } from "node:fs";
import { findPath } from "../../runs/find-path.js";

/** A file or directory, and the tensor in it that is meant. */
export interface Target {
  readonly path: string;
  readonly tensor?: string;
}

const separator = "::";

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
