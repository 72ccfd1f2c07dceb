import { BhBridgeError } from "../errors.js";
import type { Matrix } from "./matrix.js";

const remedy = "take one from model.tensor() or openCheckpoint(), or make one with new Matrix(dtype, shape, bytes)";

/** Whether a value has the parts of a `Matrix`. */
export function isMatrix(value: unknown): value is Matrix {
  return typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array && "dtype" in value && "shape" in value;
}

/**
 * Refuse what is not a matrix, such as a list of lists.
 *
 * @param name of the argument, for the message.
 * @throws {BhBridgeError} `USAGE` naming the argument.
 */
export function requireMatrix(value: unknown, name: string): void {
  if (isMatrix(value)) return;
  const kind = Array.isArray(value) ? "a list" : value === null ? "null" : typeof value;
  throw new BhBridgeError("USAGE", `${name}: ${kind} is not a Matrix: ${remedy}`, { issues: [{ path: name, message: `is not a Matrix: ${remedy}` }] });
}
