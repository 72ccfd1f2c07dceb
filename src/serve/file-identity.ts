import { statSync } from "node:fs";

/** What tells whether a file is the one that was read: its inode, size and time of change. Empty where there is none. */
export function fileIdentity(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "";
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`; // a link that leads to itself, for example
  }
}
