import { statSync } from "node:fs";
import { join } from "node:path";
import { runFiles } from "../runs/run-layout.js";
import type { LockHolders } from "../runs/scan-runs.js";

/** What tells whether a file is the one that was read: its inode, size and time of change. Empty where there is none. */
export function fileIdentity(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "";
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`; // a link that leads to itself, for example
  }
}

/** What is known of a directory's lock. */
interface Known {
  /** Of its files when the lock was asked for. */
  signature: string;
  pid: number | undefined;
}

/**
 * Who writes which runs, asked for as seldom as can be: the question takes a process. A run is asked for anew when its files have changed since; one that is
 * held, when it notes another state or its process is gone.
 */
export function watchLocks(ask: LockHolders): LockHolders {
  const known = new Map<string, Known>();
  return async (directories) => {
    const due = directories.filter((directory) => {
      const before = known.get(directory);
      if (before?.pid !== undefined) return !isAlive(before.pid) || manifestSignature(directory) !== before.signature.split("|")[0];
      return before?.signature !== signatureOf(directory);
    });
    if (due.length > 0) {
      const signatures = due.map(signatureOf);
      const holders = await ask(due);
      due.forEach((directory, index) => {
        known.set(directory, { signature: signatures[index] ?? "", pid: holders.get(directory) });
      });
    }
    return new Map(
      directories.flatMap((directory): [string, number][] => {
        const pid = known.get(directory)?.pid;
        return pid === undefined ? [] : [[directory, pid]];
      }),
    );
  };
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false; // it left no number
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function manifestSignature(directory: string): string {
  return fileIdentity(join(directory, runFiles.manifest));
}

function signatureOf(directory: string): string {
  return `${manifestSignature(directory)}|${fileIdentity(join(directory, runFiles.events))}|${fileIdentity(join(directory, runFiles.lock))}`;
}
