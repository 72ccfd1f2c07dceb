import type { BhBridgeError, ProcessExit } from "../errors.js";
import type { Operation } from "../protocol/operations.js";
import { bridgeClosed, describeExit, interruptedAtItsStart, type KillReason, peerExited } from "./failures.js";
import { fileTail } from "./file-tail.js";
import { lastLines } from "./last-lines.js";
import type { TransportEnd } from "./transport.js";

/** The first cause of a session's end; what happens later does not change it. */
export interface SessionEnd {
  exit: ProcessExit;
  /** The one cause of the errors of all calls that it ended. */
  cause: Error;
  /** Whether the user had closed the bridge by then. */
  wasClosed: boolean;
}

/** What was known of a process when it ended. */
interface EndContext {
  /** Files with its output, the newest last. */
  logs: readonly string[];
  killReason: KillReason | undefined;
  wasClosed: boolean;
}

/** So many last lines of Python's output go with an error: a crash prints the stack of each of its threads. */
const lastLinesKept = 40;

/** Note how a process came to its end, with its last words. */
export function sessionEnd(end: TransportEnd, { logs, killReason, wasClosed }: EndContext): SessionEnd {
  if ("error" in end) {
    const exit = { exitCode: null, signal: null, lastLines: [end.error.message] };
    return { exit, cause: new Error(`Python ${describeExit(exit)}`, { cause: end.error }), wasClosed };
  }
  const said = logs.map(fileTail).findLast((text) => text.trim() !== "");
  const exit = { exitCode: end.code, signal: end.signal, lastLines: said === undefined ? [] : lastLines(said, lastLinesKept) };
  return { exit, cause: new Error(`Python ${describeExit(exit, killReason)}`), wasClosed };
}

/** The error of a call that the end of its session took along, or that came after it: one for each call, all with the same cause. */
export function endError(op: Operation, { exit, cause, wasClosed }: SessionEnd): BhBridgeError {
  if (wasClosed) return bridgeClosed(op, cause);
  return exit.signal === "SIGINT" ? interruptedAtItsStart(op, exit, cause) : peerExited(op, exit, cause);
}
