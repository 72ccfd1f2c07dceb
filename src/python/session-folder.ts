import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { atExit } from "./at-exit.js";
import { ownerFileName, ownerText, removeDeadFolders } from "./dead-folders.js";

/** A socket's path has room for 104 bytes on macOS and 108 on Linux; what is added to the folder takes 8. */
const socketFolderBytes = 90;
/** Bytes of a folder's own name: `/bh-bridge-` and six random letters. */
const ownNameBytes = 17;

const forgetExit = new Map<string, () => void>();

/** Where temporary folders may be made, the best first: as Python's tempfile, past a TMPDIR that is gone or may not be written to. */
function parents(): string[] {
  return [tmpdir(), "/tmp", "/var/tmp"];
}

/** A short path, for a socket. */
function makeFolder(): string {
  return makeTemporaryFolder(
    "bh-bridge-",
    parents().filter((parent) => Buffer.byteLength(parent) + ownNameBytes <= socketFolderBytes),
  );
}

/**
 * Make a folder that only this user can enter, among the system's temporary ones.
 *
 * @param prefix of its name; six random letters follow.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`.
 */
export function makeTemporaryFolder(prefix: string, among: readonly string[] = parents()): string {
  const failures: string[] = [];
  for (const parent of among) {
    try {
      return mkdtempSync(join(parent, prefix)); // mode 0700
    } catch (cause) {
      failures.push(cause instanceof Error ? cause.message : String(cause));
    }
  }
  const said = failures.join("; ");
  throw new BhBridgeError("FILE_UNWRITABLE", `no temporary folder can be made (${said}). Set TMPDIR to a folder that you can write to, with a short path`);
}

/**
 * Make a folder that only this user can enter, and remove those beside it whose process was killed. It goes with `removeSessionFolder`, or else when
 * Node exits.
 *
 * @throws {BhBridgeError} `FILE_UNWRITABLE`.
 */
export async function createSessionFolder(): Promise<string> {
  const folder = makeFolder();
  forgetExit.set(
    folder,
    atExit(() => remove(folder)),
  );
  writeFileSync(join(folder, ownerFileName), ownerText());
  await removeDeadFolders(dirname(folder));
  return folder;
}

export function removeSessionFolder(folder: string): void {
  remove(folder);
  forgetExit.get(folder)?.();
  forgetExit.delete(folder);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
