import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { BhBridgeError, type ErrorCode, errorCodes, type ProcessExit } from "../errors.js";
import { envelopeSchema, type Operation, operations, type pythonErrorSchema } from "../protocol/operations.js";

/** What each call does, in the words of messages: its own name means nothing to people. */
export const callPhrases: Readonly<Record<Operation, string>> = {
  hello: "starting Python",
  renew: "making Python ready for the next training",
  release: "letting go of a model",
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

/** A Python exception as the error of the call that it ended: one that was foreseen under its own code, any other as `PYTHON_RAISED`. */
export function pythonFailure(op: Operation, python: z.output<typeof pythonErrorSchema>): BhBridgeError {
  const { code, ...details } = python;
  if (isErrorCode(code)) return new BhBridgeError(code, python.message, { python: details });
  if (python.type === "KeyboardInterrupt") return new BhBridgeError("ABORTED", `${callPhrases[op]} was interrupted`, { python: details });
  const type = python.module === "builtins" ? python.type : `${python.module}.${python.type}`;
  return new BhBridgeError("PYTHON_RAISED", `Python raised ${type} while ${callPhrases[op]}: ${python.message || "(no message)"}`, { python: details });
}

/** A request or a reply that is not as `operations` says. */
export function protocolInvalid(what: string, cause: unknown): BhBridgeError {
  const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause);
  return new BhBridgeError("PROTOCOL_INVALID", `${what} is invalid: ${reason}`, { cause });
}

/** Why a process was killed, when it was done on purpose. */
export type KillReason = "closed" | "no answer" | "unreachable";

const killed: Readonly<Record<KillReason, string>> = {
  closed: "was killed, as it did not leave when it was asked to",
  "no answer": "did not answer in time and was killed",
  unreachable: "closed its connection and was killed",
};

/** How a process ended, in words that follow its name. */
export function describeExit({ exitCode, signal }: ProcessExit, reason?: KillReason): string {
  if (signal === "SIGKILL") return reason ? killed[reason] : "was killed (SIGKILL), which is what happens when memory runs out";
  if (signal) return `was ended by ${signal}`;
  return exitCode === null ? "could not be started" : `ended with exit code ${exitCode}`;
}

/** So many last lines go into a message; the error has more. */
const quotedLines = 3;

/** What a dead process said of its end: the interpreter's word on a crash, which a stack follows, or else its last lines. */
function lastWords(lines: readonly string[]): string {
  const crash = lines.find((line) => line.startsWith("Fatal Python error"));
  const words = crash ?? lines.slice(-quotedLines).join(" / ");
  return words === "" ? "" : `. It last said: ${words}`;
}

/**
 * The end of the Python process, as the error of one call that it took along. Each call gets an error of its own, all with the same cause.
 * @param op the call that was pending, or that was made afterwards.
 */
export function peerExited(op: Operation, exit: ProcessExit, cause: Error): BhBridgeError {
  return new BhBridgeError("PEER_EXITED", `${callPhrases[op]} failed: ${cause.message}${lastWords(exit.lastLines)}`, { exit, cause });
}

/** Ctrl-C in the moment before a new Python ignores it, as it does ever after: its user has stopped the program, nothing has failed. */
export function interruptedAtItsStart(op: Operation, exit: ProcessExit, cause: Error): BhBridgeError {
  return new BhBridgeError("ABORTED", `${callPhrases[op]} was interrupted`, { exit, cause });
}

/** A call to a bridge that its user has closed. */
export function bridgeClosed(op: Operation, cause?: Error): BhBridgeError {
  return new BhBridgeError("BRIDGE_CLOSED", `${callPhrases[op]} failed: the bridge is closed. Start another with Bridge.start()`, { cause });
}

/** A call from code that Python waits for. */
export function deadlock(op: Operation, waitedFor: string): BhBridgeError {
  return new BhBridgeError(
    "USAGE",
    `${waitedFor} cannot wait for ${callPhrases[op]}: Python waits for its answer, and would begin nothing before. Decide from the state that it is given, or do it when train() has ended`,
  );
}

/** Two versions that do not understand each other. */
export function protocolMismatch(ours: number, theirs: number, path: string): BhBridgeError {
  return new BhBridgeError(
    "PROTOCOL_MISMATCH",
    `bh-bridge speaks protocol ${ours}, the Python sources at ${path} speak ${theirs}: install bh-bridge again, so that both come from one package`,
  );
}

/** Kept for each operation: a schema is compiled when it is first used, which takes longer than a call. */
const envelopes: Partial<Record<Operation, ReturnType<typeof envelopeSchema<z.ZodType>>>> = {};

/** What `invoke` returned, checked. @throws {BhBridgeError} `PROTOCOL_INVALID` naming the operation and the field. */
export function parseAnswer(op: Operation, answer: string) {
  try {
    envelopes[op] ??= envelopeSchema<z.ZodType>(operations[op].reply);
    return envelopes[op].parse(JSON.parse(answer));
  } catch (cause) {
    throw protocolInvalid(`the answer to ${callPhrases[op]}`, cause);
  }
}

/** A progress bar as tqdm and pip draw it: it is no last word. */
const bar = /\d+%\||[━█]{4}/;

/** The last lines of a program's output as a terminal would show them, without the characters that would steer one, and without progress bars. */
export function lastLines(text: string, count: number): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .replace(/\r$/, "")
        .replace(/^.*\r/, "")
        .replace(/\p{Cc}/gu, ""),
    )
    .filter((line) => !bar.test(line))
    .slice(-count);
}

/** A traceback and what led to it fit many times over; a log itself may have grown to gigabytes. */
const tailBytes = 65_536;

/** The end of a text file; empty when there is no such file. */
export function fileTail(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return ""; // a log that nothing was written to
  }
  try {
    const start = Math.max(0, fstatSync(fd).size - tailBytes);
    const buffer = Buffer.alloc(tailBytes);
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, tailBytes, start));
  } finally {
    closeSync(fd);
  }
}
