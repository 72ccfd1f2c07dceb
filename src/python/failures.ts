import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { BhBridgeError, type ErrorCode, errorCodes, type ProcessExit } from "../errors.js";
import { envelopeSchema, type Operation, operations, type pythonErrorSchema } from "../protocol/operations.js";

/** Descriptions of the calls, for messages. */
export const callPhrases: Readonly<Record<Operation, string>> = {
  hello: "starting Python",
  renew: "making Python ready for the next training",
  release: "releasing a model",
  "model.create": "building a model",
  "model.tensor": "reading a tensor",
  "model.set_tensor": "setting a tensor",
  "model.forward": "running a model",
  "model.generate": "generating tokens",
  "model.save": "saving a model",
  "model.to": "moving a model",
  "trainer.create": "preparing a training",
  "trainer.train": "training",
  "trainer.train_stack": "training several runs",
  "trainer.evaluate": "evaluating a model",
  "trainer.close": "closing a trainer",
  "trainer.state": "reading the state of a trainer",
};

function isErrorCode(code: string | null): code is ErrorCode {
  return (errorCodes as readonly (string | null)[]).includes(code);
}

/** The error of a call for a Python exception: an expected one has its own code, any other `PYTHON_RAISED`. */
export function pythonFailure(op: Operation, python: z.output<typeof pythonErrorSchema>): BhBridgeError {
  const { code, ...details } = python;
  if (isErrorCode(code)) return new BhBridgeError(code, python.message, { python: details });
  if (python.type === "KeyboardInterrupt") return new BhBridgeError("ABORTED", `${callPhrases[op]} was interrupted`, { python: details });
  const type = python.module === "builtins" ? python.type : `${python.module}.${python.type}`;
  return new BhBridgeError("PYTHON_RAISED", `Python raised ${type} while ${callPhrases[op]}: ${python.message || "(no message)"}`, { python: details });
}

/** The error for a request or a reply that violates `operations`. */
export function protocolInvalid(what: string, cause: unknown): BhBridgeError {
  const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause);
  return new BhBridgeError("PROTOCOL_INVALID", `${what} is invalid: ${reason}`, { cause });
}

/** Why Node killed the process. */
export type KillReason = "closed" | "no answer" | "unreachable";

const killed: Readonly<Record<KillReason, string>> = {
  closed: "was killed, as it did not exit when asked to",
  "no answer": "did not answer within 5 minutes and was killed; if the machine or its disk is busy, run the command again",
  unreachable: "closed its connection and was killed",
};

/** How a process ended, as the predicate of a sentence. */
export function describeExit({ exitCode, signal }: ProcessExit, reason?: KillReason): string {
  if (signal === "SIGKILL") return reason ? killed[reason] : "was killed (SIGKILL), as happens when memory runs out";
  if (signal) return `was ended by ${signal}`;
  return exitCode === null ? "could not be started" : `ended with exit code ${exitCode}`;
}

/** Number of last output lines in a message; `exit.lastLines` has more. */
const quotedLines = 3;

/** The error of a pending or later call when the Python process has ended. Each call gets its own error, all with the same cause. */
export function peerExited(op: Operation, exit: ProcessExit, cause: Error): BhBridgeError {
  const crash = exit.lastLines.find((line) => line.startsWith("Fatal Python error")); // a stack follows it
  const output = crash ?? exit.lastLines.slice(-quotedLines).join(" / ");
  return new BhBridgeError("PEER_EXITED", `${callPhrases[op]} failed: ${cause.message}${output && `. Its last output: ${output}`}`, { exit, cause });
}

/** The error for Ctrl-C before a new Python ignores SIGINT: the user has stopped the program, nothing has failed. */
export function interruptedAtItsStart(op: Operation, exit: ProcessExit, cause: Error): BhBridgeError {
  return new BhBridgeError("ABORTED", `${callPhrases[op]} was interrupted`, { exit, cause });
}

/** The error of a call to a closed bridge. */
export function bridgeClosed(op: Operation, cause?: Error): BhBridgeError {
  return new BhBridgeError("BRIDGE_CLOSED", `${callPhrases[op]} failed: the bridge is closed. Start another with Bridge.start()`, { cause });
}

/** The error of a call from code that Python waits for. */
export function deadlock(op: Operation, waitedFor: string): BhBridgeError {
  const remedy = "Decide from the state that is passed to it, or make the call when train() has ended";
  return new BhBridgeError("USAGE", `${waitedFor} cannot wait for ${callPhrases[op]}: Python waits for its answer first. ${remedy}`);
}

/** The error for two incompatible protocol versions. */
export function protocolMismatch(ours: number, theirs: number, path: string): BhBridgeError {
  const message = `bh-bridge uses protocol ${ours}, but the Python sources at ${path} use ${theirs}: reinstall bh-bridge, so that both come from one package`;
  return new BhBridgeError("PROTOCOL_MISMATCH", message);
}

/** Cached per operation, since compiling a schema takes longer than a call. */
const envelopes: Partial<Record<Operation, ReturnType<typeof envelopeSchema<z.ZodType>>>> = {};

/** Check the answer to `invoke`. @throws {BhBridgeError} `PROTOCOL_INVALID` naming the operation and the field. */
export function parseAnswer(op: Operation, answer: string) {
  try {
    envelopes[op] ??= envelopeSchema<z.ZodType>(operations[op].reply);
    return envelopes[op].parse(JSON.parse(answer));
  } catch (cause) {
    throw protocolInvalid(`the answer to ${callPhrases[op]}`, cause);
  }
}

/** A progress bar of tqdm or pip. */
const bar = /\d+%\||[━█]{4}/;

/** The last lines of a program's output as a terminal would show them, without control characters and progress bars. */
export function lastLines(text: string, count: number): string[] {
  const lines = text.trim().split("\n");
  const shown = lines.map((line) => line.replace(/^.*\r(?!$)|\r$/g, "").replace(/\p{Cc}/gu, ""));
  return shown.filter((line) => !bar.test(line)).slice(-count);
}

/** Enough for any traceback; a log can grow to gigabytes. */
const tailBytes = 65_536;

/** The end of a text file; empty if it does not exist. */
export function fileTail(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return ""; // nothing has been logged
  }
  try {
    const start = Math.max(0, fstatSync(fd).size - tailBytes);
    const buffer = Buffer.alloc(tailBytes);
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, tailBytes, start));
  } finally {
    closeSync(fd);
  }
}
