import { expect, test } from "vitest";
import { type Operation, operations } from "../../../src/protocol/operations.js";
import { bridgeClosed, describeExit, lastLines, parseAnswer, peerExited, protocolMismatch, pythonFailure } from "../../../src/python/failures.js";

const python = { type: "ValueError", module: "builtins", message: "no", code: null, mro: ["ValueError"], traceback: "Traceback" };

test.each([
  [python, "PYTHON_RAISED", "Python raised ValueError while saving a model: no"],
  [
    { ...python, module: "torch", type: "OutOfMemoryError", message: "" },
    "PYTHON_RAISED",
    "Python raised torch.OutOfMemoryError while saving a model: (no message)",
  ],
  [{ ...python, code: "RUN_LOCKED", message: "in use" }, "RUN_LOCKED", "in use"],
  [{ ...python, code: "NO_SUCH_CODE" }, "PYTHON_RAISED", "Python raised ValueError while saving a model: no"],
  [{ ...python, type: "KeyboardInterrupt" }, "ABORTED", "saving a model was interrupted"],
])("a Python error %# has its code and message", (error, code, message) => {
  expect(pythonFailure("model.save", error)).toMatchObject({ code, message, python: { type: error.type, traceback: "Traceback" } });
});

test.each([
  [{ exitCode: null, signal: "SIGKILL" }, undefined, "was killed (SIGKILL), as happens when memory runs out"],
  [{ exitCode: null, signal: "SIGKILL" }, "closed", "was killed, as it did not exit when asked to"],
  [
    { exitCode: null, signal: "SIGKILL" },
    "no answer",
    "did not answer within 5 minutes and was killed; if the machine or its disk is busy, run the command again",
  ],
  [{ exitCode: null, signal: "SIGKILL" }, "unreachable", "closed its connection and was killed"],
  [{ exitCode: null, signal: "SIGSEGV" }, undefined, "was ended by SIGSEGV"],
  [{ exitCode: 3, signal: null }, undefined, "ended with exit code 3"],
  [{ exitCode: 0, signal: null }, undefined, "ended with exit code 0"],
  [{ exitCode: null, signal: null }, undefined, "could not be started"],
] as const)("an exit %j (%s) in words", (exit, reason, words) => {
  expect(describeExit({ ...exit, lastLines: [] }, reason)).toBe(words);
});

const exit = { exitCode: 1, signal: null };

test.each([
  [[], "training failed: Python ended"],
  [["one", "two", "three", "four"], "training failed: Python ended. Its last output: two / three / four"],
  [
    ["before", "Fatal Python error: Segmentation fault", "Thread 1:", '  File "a.py"', "main"],
    "training failed: Python ended. Its last output: Fatal Python error: Segmentation fault",
  ],
])("the last words of %j are quoted", (lastLines, message) => {
  const cause = new Error("Python ended");
  expect(peerExited("trainer.train", { ...exit, lastLines }, cause)).toMatchObject({ code: "PEER_EXITED", message, cause, exit: { lastLines } });
});

test("a mismatch names both versions and the place", () => {
  expect(protocolMismatch(1, 2, "/package/python").message).toMatch(/protocol 1, .*\/package\/python use 2/);
});

test.each((Object.keys(operations) as Operation[]).filter((op) => op !== "release"))("no message of a call says %s", (op) => {
  const errors = [
    pythonFailure(op, python),
    pythonFailure(op, { ...python, type: "KeyboardInterrupt" }),
    peerExited(op, { ...exit, lastLines: [] }, new Error("Python ended")),
    bridgeClosed(op),
  ];
  for (const { message } of errors) expect(message).not.toContain(op);
});

test("a reply that is right comes through, with the number of events", () => {
  const answer = { ok: {}, events: 3 };
  expect(parseAnswer("release", JSON.stringify(answer))).toMatchObject({ events: 3 });
});

test.each(["", "not JSON", "null", '{"events":0}', '{"ok":{"surprise":1},"events":0}'])("%j is no answer, and the call is named in words", (answer) => {
  expect(() => parseAnswer("trainer.evaluate", answer)).toThrow(
    expect.objectContaining({ code: "PROTOCOL_INVALID", message: expect.stringContaining("evaluating a model") }),
  );
});

test("the last words are the error's, not those of a progress bar", () => {
  const said = "Traceback:\n  line 1\nMemoryError: no room\r\n\rLoading weights:   0%|          | 0/28\rLoading weights:  54%|█████     | 15/28";
  expect(lastLines(said, 2)).toEqual(["  line 1", "MemoryError: no room"]);
});

test("what a line was overwritten with is what it says", () => {
  expect(lastLines("waiting\rfailed: disk full\n", 3)).toEqual(["failed: disk full"]);
});

test("escape sequences do not steer a terminal", () => {
  expect(lastLines("\u001b[31mred\u001b[0m\n", 1)).toEqual(["[31mred[0m"]);
});
