import { existsSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { findPath } from "../../runs/checkpoint.js";

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

/** A training step from the command line. */
export function parseStep(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A step is a number from 0 on.");
}
