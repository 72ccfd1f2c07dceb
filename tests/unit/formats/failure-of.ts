import { BhBridgeError } from "../../../src/errors.js";

/** The error that an action throws. */
export function failureOf(action: () => unknown): BhBridgeError {
  try {
    action();
  } catch (error) {
    if (error instanceof BhBridgeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
