import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";

const cleanUps = new Set<() => void>();

function runAll(): void {
  for (const cleanUp of cleanUps) cleanUp();
}

/** Run a clean-up when Node exits, unless it is taken back before by calling what is returned. */
export function atExit(cleanUp: () => void): () => void {
  if (cleanUps.size === 0) process.once("exit", runAll);
  cleanUps.add(cleanUp);
  return () => {
    cleanUps.delete(cleanUp);
    if (cleanUps.size === 0) process.off("exit", runAll);
  };
}

/** What says whose a session's folder is. */
export const ownerFileName = "owner.json";
const ownerSchema = z.strictObject({ pid: z.int().positive(), host: z.string() });

const folderName = /^bh-bridge-[A-Za-z0-9]{6}$/;
const ownFile = /^(?:owner\.json|events|python|python\.log|tensor-\d+)$/;

/** The content of the owner's file of a folder that this process makes. */
export function ownerText(): string {
  return JSON.stringify({ pid: process.pid, host: hostname() } satisfies z.input<typeof ownerSchema>);
}

/**
 * Remove the session folders that were left in a folder by processes that were killed. A folder goes only when it is this user's, holds nothing but a session,
 * and its process is dead by two signs: its number, and the socket that nobody listens at (a process in another container has a number of its own there).
 */
export async function removeDeadFolders(parent: string): Promise<void> {
  for (const name of namesIn(parent)) {
    const folder = join(parent, name);
    if (folderName.test(name) && isLeft(folder) && !(await isListenedAt(join(folder, "events")))) rmSync(folder, { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it is gone, or another's
  }
}

function isLeft(folder: string): boolean {
  try {
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || !readdirSync(folder).every((name) => ownFile.test(name))) return false;
    const { pid, host } = ownerSchema.parse(JSON.parse(readFileSync(join(folder, ownerFileName), "utf8")));
    return host === hostname() && !isAlive(pid);
  } catch {
    return false; // it went meanwhile, or does not say whose it is
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function isListenedAt(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED"));
  });
}

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
 * @param prefix of its name; six random letters follow.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`.
 */
function makeTemporaryFolder(prefix: string, among: readonly string[] = parents()): string {
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
 * Make a folder that only this user can enter, and remove those beside it whose process was killed. It goes with `removeSessionFolder`, or else when Node
 * exits.
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

/**
 * A new folder among the system's temporary ones. It goes with all that is in it when it is disposed of, or when Node exits.
 * @param purpose one word, for its name.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` when no temporary folder can be made.
 */
export function temporaryFolder(purpose: string): { readonly path: string } & Disposable {
  const path = makeTemporaryFolder(`bh-bridge-${purpose}-`);
  const remove = () => rmSync(path, { recursive: true, force: true });
  const forgetExit = atExit(remove);
  return {
    path,
    [Symbol.dispose]() {
      forgetExit();
      remove();
    },
  };
}
