import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";

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
 * Remove the session folders that were left in a folder by processes that were killed. A folder goes only when it is this user's, holds nothing but
 * a session, and its process is dead by two signs: its number, and the socket that nobody listens at (a process in another container has a number of
 * its own there).
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
