import type { BhBridgeError, ProcessExit } from "../errors.js";
import type { Operation } from "../protocol/operations.js";
import { bridgeClosed, describeExit, fileTail, interruptedAtItsStart, type KillReason, lastLines, peerExited } from "./failures.js";
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

/** Signal a process and those that it started; false when it leads no group of its own. */
export function signalGroup(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, name);
  } catch {
    return false; // it has not left Node's group yet, or has ended
  }
}

/** One rung: what to do, and how long to wait for an end before the next one. */
interface Rung {
  act(): unknown;
  graceMs: number;
}

/** Climb from asking to killing until the process has ended; the only place where that order is decided. */
export async function stopLadder(ended: Promise<unknown>, rungs: readonly Rung[]): Promise<void> {
  let hasEnded = false;
  const end = ended.then(() => {
    hasEnded = true;
  });
  for (const { act, graceMs } of rungs) {
    if (hasEnded) return;
    act();
    if (!Number.isFinite(graceMs)) return end;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([end, grace]);
    clearTimeout(timer);
  }
}
