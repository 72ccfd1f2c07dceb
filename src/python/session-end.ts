import type { BhBridgeError, ProcessExit } from "../errors.js";
import type { Operation } from "../protocol/operations.js";
import { bridgeClosed, describeExit, fileTail, interruptedAtItsStart, type KillReason, lastLines, peerExited } from "./failures.js";
import type { TransportEnd } from "./transport.js";

/** The end of a session. */
export interface SessionEnd {
  exit: ProcessExit;
  /** The common cause of the errors of all calls that it ended. */
  cause: Error;
  /** Whether the user had closed the bridge before. */
  wasClosed: boolean;
}

interface EndContext {
  /** Files with the process's output, newest last. */
  logs: readonly string[];
  killReason: KillReason | undefined;
  wasClosed: boolean;
}

/** Number of last lines in an error, since a crash prints the stack of each thread. */
const lastLinesKept = 40;

/** Describe the end of a process, with its last output. */
export function sessionEnd(end: TransportEnd, { logs, killReason, wasClosed }: EndContext): SessionEnd {
  if ("error" in end) {
    const exit = { exitCode: null, signal: null, lastLines: [end.error.message] };
    return { exit, cause: new Error(`Python ${describeExit(exit)}`, { cause: end.error }), wasClosed };
  }
  const output = logs.map(fileTail).findLast((text) => text.trim() !== "");
  const exit = { exitCode: end.code, signal: end.signal, lastLines: output === undefined ? [] : lastLines(output, lastLinesKept) };
  return { exit, cause: new Error(`Python ${describeExit(exit, killReason)}`), wasClosed };
}

/** The error of a call that was pending when its session ended, or came later. */
export function endError(op: Operation, { exit, cause, wasClosed }: SessionEnd): BhBridgeError {
  if (wasClosed) return bridgeClosed(op, cause);
  return exit.signal === "SIGINT" ? interruptedAtItsStart(op, exit, cause) : peerExited(op, exit, cause);
}

/** Signal a process and its children; false if it leads no process group. */
export function signalGroup(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, name);
  } catch {
    return false; // it has not left Node's group yet, or has ended
  }
}

/** Take the steps in order, each after the grace period of the one before, until the process has ended. */
export async function stopLadder(ended: Promise<unknown>, steps: readonly { act(): unknown; graceMs: number }[]): Promise<void> {
  let hasEnded = false;
  const end = ended.then(() => {
    hasEnded = true;
  });
  for (const { act, graceMs } of steps) {
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
