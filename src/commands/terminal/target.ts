import { existsSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { BhBridgeError } from "../../errors.js";
import { findPath } from "../../runs/checkpoint.js";

export interface Target {
  readonly path: string;
  readonly tensor?: string;
}

/** Split `LEFT::RIGHT`, unless a file of this whole name exists. */
export function splitTarget(text: string): [left: string, right: string | undefined] {
  const at = text.lastIndexOf("::");
  return at <= 0 || existsSync(text) ? [text, undefined] : [text.slice(0, at), text.slice(at + 2)];
}

/** Find `FILE[::TENSOR]`, where FILE is a path, a run's name, or a prefix of one. @throws {BhBridgeError} as `findPath`. */
export async function findTarget(text: string): Promise<Target> {
  const [left, tensor] = splitTarget(text);
  const path = await findPath(left);
  return tensor === undefined ? { path } : { path, tensor };
}

/** Parser of an option with a whole number of at least `least`. @param sentence the message for anything else. */
export function parseWhole(least: number, sentence = `Expected a whole number of at least ${least}.`): (text: string) => number {
  return (text) => {
    if (/^[0-9]{1,15}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(sentence);
  };
}

export const parseStep = parseWhole(0, "A step is a whole number of at least 0.");

/** As `wholeNumber`; undefined for an omitted option. */
export function optionalNumber(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(option, text);
}

/** The whole number of an option that is checked after parsing. @throws {BhBridgeError} `USAGE`. */
export function wholeNumber(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new BhBridgeError("USAGE", `${option} takes a whole number of at least ${least}, not "${text}"`);
}
