import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BhBridgeError } from "../errors.js";
import { lockedBy, parseHolders } from "./lock-holders.js";
import { packageRoot } from "./package-root.js";
import { pythonVariables } from "./python-variables.js";

/** The lock of a directory that this process writes; the kernel lets go of it however the process ends. */
interface DirectoryLock extends AsyncDisposable {
  /** Settles when the lock is held no longer. */
  readonly ended: Promise<void>;
}

/**
 * Take the lock of a directory by name, for as long as this process lives or until it is disposed of. A small Python holds it: Node cannot ask the kernel.
 *
 * @param interpreter any Python.
 * @throws {BhBridgeError} `RUN_LOCKED` naming the process that has it; `INTERNAL` when Python could not take it.
 */
export async function lockDirectory(interpreter: string, directory: string): Promise<DirectoryLock> {
  const marker = `bh-bridge-${randomUUID()}:`;
  const script = join(packageRoot, "python", "bh_bridge", "process", "lock_holders.py");
  // Of a process group of its own: Ctrl-C is for Node, which lets go when all is done.
  const holder = spawn(interpreter, [script, marker, "hold", String(process.pid), directory], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...pythonVariables() },
    detached: true,
  });
  holder.stdin.on("error", () => undefined); // it has ended
  let said = "";
  holder.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(holder, "close").then(() => undefined);
  const answer = await Promise.race([answerOf(holder.stdout, marker), ended]);
  if (answer === undefined) throw new BhBridgeError("INTERNAL", `the lock of ${directory} could not be taken: ${said.trim() || "Python ended"}`);
  const other = parseHolders(JSON.parse(answer))[directory];
  if (other) throw lockedBy(directory, other);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
    },
  };
}

async function answerOf(output: NodeJS.ReadableStream, marker: string): Promise<string | undefined> {
  for await (const line of createInterface({ input: output })) {
    if (line.startsWith(marker)) return line.slice(marker.length);
  }
  return undefined;
}
