import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket's path has room for 104 bytes on macOS and 108 on Linux; what is added to the folder takes 8. */
const socketFolderBytes = 90;
/** Bytes of a folder's own name: `/bh-bridge-` and six random letters. */
const ownNameBytes = 17;

const folders = new Set<string>();

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function removeAll(): void {
  folders.forEach(remove);
}

/** Make a folder that only this user can enter. It goes with `removeSessionFolder`, or else when Node exits. */
export function createSessionFolder(): string {
  const parent = Buffer.byteLength(tmpdir()) + ownNameBytes > socketFolderBytes ? "/tmp" : tmpdir();
  const folder = mkdtempSync(join(parent, "bh-bridge-")); // mode 0700
  if (folders.size === 0) process.once("exit", removeAll);
  folders.add(folder);
  return folder;
}

export function removeSessionFolder(folder: string): void {
  remove(folder);
  folders.delete(folder);
  if (folders.size === 0) process.off("exit", removeAll);
}
