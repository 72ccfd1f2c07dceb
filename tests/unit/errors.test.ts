import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import type { RunInput } from "../../src/config/resolve-run-config.js";
import { BhBridgeError, type ErrorCode, exitCodeOf } from "../../src/errors.js";
import { type TrainOptions, train } from "../../src/runner/train.js";
import { warmPython as python } from "../bridge/real-python.js";
import { codeBlocks } from "../code-blocks.js";

test.each<[ErrorCode, number]>([
  ["USAGE", 2],
  ["CONFIG_INVALID", 2],
  ["CORPUS_INVALID", 2],
  ["PYTHON_NOT_FOUND", 3],
  ["PYTHON_DEPENDENCY_MISSING", 3],
  ["DEVICE_UNAVAILABLE", 3],
  ["EXECUTOR_UNAVAILABLE", 3],
  ["SETUP_FAILED", 3],
  ["PROGRAM_NOT_FOUND", 3],
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

test("JSON has everything but the stack, and of the cause its name, message and code", () => {
  const issues = [{ path: "training.max_steps", message: "is too small", source: "--set" }];
  const cause = Object.assign(new Error("no such file"), { code: "ENOENT" });
  const told = (error: BhBridgeError) => JSON.parse(JSON.stringify(error));
  expect(told(new BhBridgeError("CONFIG_INVALID", "wrong", { issues, cause }))).toEqual({
    ...{ name: "BhBridgeError", code: "CONFIG_INVALID", message: "wrong", issues },
    cause: { name: "Error", message: "no such file", code: "ENOENT" },
  });
  expect(told(new BhBridgeError("FORMAT_INVALID", "cut", { offset: 0, cause: "a text" }))).toEqual({
    ...{ name: "BhBridgeError", code: "FORMAT_INVALID", message: "cut", offset: 0 },
    cause: { name: "string", message: "a text" },
  });
  const exit = { exitCode: null, signal: "SIGKILL", lastLines: ["last words"] };
  const inner = new BhBridgeError("PEER_EXITED", "gone", { exit });
  expect(told(inner)).toEqual({ name: "BhBridgeError", code: "PEER_EXITED", message: "gone", exit });
  expect(told(new BhBridgeError("INTERNAL", "above", { cause: inner }))).toMatchObject({
    cause: { name: "BhBridgeError", code: "PEER_EXITED", message: "gone" },
  });
  expect(told(new BhBridgeError("USAGE", "plain"))).toEqual({ name: "BhBridgeError", code: "USAGE", message: "plain" });
});

test("the example of docs/api.md prints what is wrong with a missing corpus", async () => {
  const example = codeBlocks(readFileSync("docs/api.md", "utf8"), "ts").find((block) => block.includes("missing.txt")) ?? "";
  const [imported, ...body] = example.trim().split("\n");
  expect(imported).toBe('import { BhBridgeError, train } from "bh-bridge";');
  const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
  try {
    const run = new Function("BhBridgeError", "train", `return (async () => {\n${body.join("\n")}\n})();`) as (...names: unknown[]) => Promise<void>;
    await run(BhBridgeError, (input: RunInput, options: TrainOptions) => train({ ...input, python }, options));
    expect(printed.mock.calls).toEqual([["CORPUS_INVALID", expect.stringContaining("missing.txt")]]);
  } finally {
    printed.mockRestore();
  }
});
