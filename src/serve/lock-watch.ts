import { statSync } from "node:fs";
import { join } from "node:path";
import { runFiles } from "../runs/run-layout.js";
import type { LockHolders } from "../runs/scan-runs.js";

/** Inode, size and time of change of a file, which show whether it has changed; empty if it does not exist. */
export function fileIdentity(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "";
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`; // for example a link to itself
  }
}

/**
 * Look up the writers of runs as rarely as possible, since a look-up starts a process. A run is looked up again when its files have changed; a running one when
 * its manifest changes or its process ends.
 */
export function watchLocks(ask: LockHolders): LockHolders {
  const known = new Map<string, { signature: string; pid: number | undefined }>();
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
  if (pid === 0) return false; // unknown process
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
