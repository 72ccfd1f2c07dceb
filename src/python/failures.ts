import { z } from "zod";
import { BhBridgeError, type ErrorCode, errorCodes, type ProcessExit } from "../errors.js";
import type { pythonErrorSchema } from "../protocol/envelope.js";
import type { Operation } from "../protocol/operations.js";
import { callPhrases } from "./call-phrases.js";

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
 *
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
