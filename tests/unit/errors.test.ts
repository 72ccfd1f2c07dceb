import { expect, test } from "vitest";
import { BhBridgeError, type ErrorCode, exitCodeOf } from "../../src/errors.js";

test.each<[ErrorCode, number]>([
  ["USAGE", 2],
  ["CONFIG_INVALID", 2],
  ["CORPUS_INVALID", 2],
  ["PYTHON_NOT_FOUND", 3],
  ["PYTHON_DEPENDENCY_MISSING", 3],
  ["DEVICE_UNAVAILABLE", 3],
  ["EXECUTOR_UNAVAILABLE", 3],
  ["SETUP_FAILED", 3],
  ["PROTOCOL_MISMATCH", 3],
  ["ABORTED", 130],
  ["PYTHON_RAISED", 1],
  ["RUN_LOCKED", 1],
  ["DISK_FULL", 1],
  ["INTERNAL", 1],
])("%s ends the program with %i", (code, exit) => expect(exitCodeOf(new BhBridgeError(code, ""))).toBe(exit));

test("what is no error of ours ends it with 1", () => expect([exitCodeOf(new Error("x")), exitCodeOf("x")]).toEqual([1, 1]));

test("an error keeps its cause, and has none where there is none", () => {
  const cause = new Error("beneath");
  expect(new BhBridgeError("IO_FAILED", "above", { cause, offset: 7 })).toMatchObject({ name: "BhBridgeError", message: "above", cause, offset: 7 });
  expect(new BhBridgeError("IO_FAILED", "above")).not.toHaveProperty("cause");
});
