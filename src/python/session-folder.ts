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

/** Run a clean-up when Node exits. Calling the result cancels it. */
export function atExit(cleanUp: () => void): () => void {
  if (cleanUps.size === 0) process.once("exit", runAll);
  cleanUps.add(cleanUp);
  return () => {
    cleanUps.delete(cleanUp);
    if (cleanUps.size === 0) process.off("exit", runAll);
  };
}

/** The file that names the process of a session's folder. */
export const ownerFileName = "owner.json";
const ownerSchema = z.strictObject({ pid: z.int().positive(), host: z.string() });

const folderName = /^bh-bridge-[A-Za-z0-9]{6}$/;
const ownFile = /^(?:owner\.json|events|python|python\.log|tensor-\d+)$/;

/** The content of the owner file for this process. */
export function ownerText(): string {
  return JSON.stringify({ pid: process.pid, host: hostname() } satisfies z.input<typeof ownerSchema>);
}

/**
 * Remove the session folders that killed processes left in a folder. A folder must belong to this user and contain only a session. Its process must be dead
 * by two signs: its id, and a socket without a listener, since a process in another container has its id there.
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
    return []; // removed meanwhile, or not readable
  }
}

function isLeft(folder: string): boolean {
  try {
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || !readdirSync(folder).every((name) => ownFile.test(name))) return false;
    const { pid, host } = ownerSchema.parse(JSON.parse(readFileSync(join(folder, ownerFileName), "utf8")));
    return host === hostname() && !isAlive(pid);
  } catch {
    return false; // removed meanwhile, or without a valid owner
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

/** A socket's path has at most 104 bytes on macOS and 108 on Linux: this, 17 for the folder's name, 8 for the socket's, and some reserve. */
const maxParentBytes = 73;

const forgetExit = new Map<string, () => void>();

/**
 * Create a private temporary folder. Like Python's tempfile, it falls back from a TMPDIR that is missing or read-only.
 * @param prefix of its name; six random letters follow.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`.
 */
function makeTemporaryFolder(prefix: string, maxBytes = Number.POSITIVE_INFINITY): string {
  const failures: string[] = [];
  for (const parent of [tmpdir(), "/tmp", "/var/tmp"].filter((path) => Buffer.byteLength(path) <= maxBytes)) {
    try {
      return mkdtempSync(join(parent, prefix)); // mode 0700
    } catch (cause) {
      failures.push(cause instanceof Error ? cause.message : String(cause));
    }
  }
  const reasons = failures.join("; ");
  throw new BhBridgeError("FILE_UNWRITABLE", `no temporary folder can be made (${reasons}). Set TMPDIR to a writable folder with a short path`);
}

/**
 * Create a private folder for a session, and remove those of killed processes. It is removed by `removeSessionFolder`, or when Node exits.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`.
 */
export async function createSessionFolder(): Promise<string> {
  const folder = makeTemporaryFolder("bh-bridge-", maxParentBytes);
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
 * Create a temporary folder. It is removed with its content when it is disposed of, or when Node exits.
 * @param purpose one word, for its name.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` if no temporary folder can be made.
 */
export function temporaryFolder(purpose: string): { readonly path: string } & Disposable {
  const path = makeTemporaryFolder(`bh-bridge-${purpose}-`);
  const cancel = atExit(() => remove(path));
  return {
    path,
    [Symbol.dispose]() {
      cancel();
      remove(path);
    },
  };
}
