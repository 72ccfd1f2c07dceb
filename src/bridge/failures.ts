import type { z } from "zod";
import { BhBridgeError, type ErrorCode, errorCodes, type ProcessExit } from "../errors.js";
import type { pythonErrorSchema } from "../protocol/envelope.js";

function isErrorCode(code: string | null): code is ErrorCode {
  return (errorCodes as readonly (string | null)[]).includes(code);
}

/** A Python exception as the error of the call that it ended: one that was foreseen under its own code, any other as `PYTHON_RAISED`. */
export function pythonFailure(op: string, python: z.output<typeof pythonErrorSchema>): BhBridgeError {
  const { code, ...details } = python;
  if (isErrorCode(code)) return new BhBridgeError(code, python.message, { python: details });
  if (python.type === "KeyboardInterrupt") return new BhBridgeError("ABORTED", `${op} was interrupted`, { python: details });
  const type = python.module === "builtins" ? python.type : `${python.module}.${python.type}`;
  return new BhBridgeError("PYTHON_RAISED", `Python raised ${type} in ${op}: ${python.message || "(no message)"}`, { python: details });
}

function describeExit({ exitCode, signal }: ProcessExit, requestedKill: boolean): string {
  if (signal === "SIGKILL" && !requestedKill) return "was killed (SIGKILL), which is what happens when memory runs out";
  if (signal) return `was ended by ${signal}`;
  return exitCode === null ? "could not be started" : `ended with exit code ${exitCode}`;
}

/**
 * The end of the Python process, as the error of one call that it took along. Each call gets an error of its own, all with the same cause.
 *
 * @param op the call that was pending, or that was made afterwards.
 */
export function peerExited(op: string, exit: ProcessExit, requestedKill: boolean, cause: Error): BhBridgeError {
  const said = exit.lastLines.length > 0 ? `. It last said: ${exit.lastLines.join(" / ")}` : "";
  return new BhBridgeError("PEER_EXITED", `${op} failed: Python ${describeExit(exit, requestedKill)}${said}`, { exit, cause });
}

/** Two versions that do not understand each other. */
export function protocolMismatch(ours: number, theirs: number, path: string): BhBridgeError {
  return new BhBridgeError(
    "PROTOCOL_MISMATCH",
    `bh-bridge speaks protocol ${ours}, the Python sources at ${path} speak ${theirs}: install bh-bridge again, so that both come from one package`,
  );
}
