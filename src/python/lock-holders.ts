import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { pythonCandidates } from "./find-python.js";
import { packageRoot } from "./package-manifest.js";
import { pythonVariables } from "./python-variables.js";
import { runPythonScript } from "./run-python-script.js";

/** The script answers in 30 ms, or waits 30 s for a process that is about to end. A longer run has hung. */
const timeoutMs = { now: 10_000, "after-patience": 45_000 } as const;

const holderSchema = z.strictObject({ pid: z.int().nonnegative(), host: z.string().nullable(), is_orphan: z.boolean() });
type Holder = z.output<typeof holderSchema>;
const answerSchema = z.strictObject({ holders: z.record(z.string(), holderSchema) });

function lockedBy(directory: string, { pid, host }: Holder): BhBridgeError {
  const process = pid === 0 ? "another process" : `process ${pid}`;
  const who = host === null ? process : `${process} on ${host}`;
  return new BhBridgeError("RUN_LOCKED", `${directory} is in use by ${who}: wait for it, or stop it with Ctrl-C`);
}

/**
 * The run directories that are being written, with the id of the process (0 if unknown).
 *
 * A Python asks the kernel, since Node cannot query locks and a file can be outdated. Without a Python nothing can be running.
 */
export async function lockHolders(directories: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return new Map(Object.entries(await ask(directories, "now")).map(([directory, { pid }]) => [directory, pid]));
}

/** The process that writes a directory, and its host unless it is this machine (null); undefined if none does. */
export async function lockHolder(directory: string): Promise<Holder | undefined> {
  return (await ask([directory], "now"))[directory];
}

/**
 * Fail early if another process writes a run, before Python starts; the lock itself decides later. Waits for a process that is about to end because its Node
 * was killed.
 * @throws {BhBridgeError} `RUN_LOCKED` naming the process.
 */
export async function requireUnlocked(directory: string): Promise<void> {
  const holder = (await ask([directory], "after-patience"))[directory];
  if (holder !== undefined) throw lockedBy(directory, holder);
}

async function ask(directories: readonly string[], how: keyof typeof timeoutMs): Promise<Readonly<Record<string, Holder>>> {
  const interpreter = directories.length > 0 ? firstInterpreter() : undefined;
  if (interpreter === undefined) return {};
  const answer = await runPythonScript(interpreter, { file: "process/lock_holders.py", args: [how, ...directories], timeoutMs: timeoutMs[how] });
  return answerSchema.parse(answer).holders;
}

function firstInterpreter(): string | undefined {
  try {
    return pythonCandidates()[0].path;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "PYTHON_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The lock of a directory, which the kernel releases however the process ends. */
interface DirectoryLock extends AsyncDisposable {
  /** Settles when the lock has been released. */
  readonly ended: Promise<void>;
}

/**
 * Lock a directory until this process ends or the lock is disposed of. A small Python process holds the lock, since Node cannot.
 * @param interpreter any Python.
 * @throws {BhBridgeError} `RUN_LOCKED` naming the process; `INTERNAL` if Python cannot take the lock.
 */
export async function lockDirectory(interpreter: string, directory: string): Promise<DirectoryLock> {
  const marker = `bh-bridge-${randomUUID()}:`;
  const script = join(packageRoot, "python", "bh_bridge", "process", "lock_holders.py");
  // Its own process group, so that Ctrl-C reaches Node only, which releases the lock at its end.
  const holder = spawn(interpreter, [script, marker, "hold", String(process.pid), directory], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...pythonVariables() },
    detached: true,
  });
  holder.stdin.on("error", () => undefined); // it has ended
  let errors = "";
  holder.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(holder, "close").then(() => undefined);
  const answer = await Promise.race([answerOf(holder.stdout, marker), ended]);
  if (answer === undefined) throw new BhBridgeError("INTERNAL", `the lock of ${directory} could not be taken: ${errors.trim() || "Python ended"}`);
  const other = answerSchema.parse(JSON.parse(answer)).holders[directory];
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
