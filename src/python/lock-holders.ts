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

/** The script answers in 30 ms, or waits 30 s for a process that is about to end; this stops an interpreter that hangs. */
const timeoutMs = { now: 10_000, "after-patience": 45_000 } as const;

const holderSchema = z.strictObject({ pid: z.int().nonnegative(), host: z.string().nullable(), is_orphan: z.boolean() });
type Holder = z.output<typeof holderSchema>;
const answerSchema = z.strictObject({ holders: z.record(z.string(), holderSchema) });

/** The holders that `lock_holders.py` tells, by directory. */
function parseHolders(answer: unknown): Readonly<Record<string, Holder>> {
  return answerSchema.parse(answer).holders;
}

/** The error for a directory that somebody else writes. */
function lockedBy(directory: string, { pid, host }: Holder): BhBridgeError {
  const process = pid === 0 ? "another process" : `process ${pid}`;
  const who = host === null ? process : `${process} on ${host}`;
  return new BhBridgeError("RUN_LOCKED", `${directory} is in use by ${who}: wait for it, or stop it with Ctrl-C`);
}

/**
 * Which of these run directories are being written, and by which process (0: it left no number).
 *
 * The kernel is asked, through the first Python that is found: Node cannot ask for a lock, and what a file says can be out of date. Where there is no Python
 * nothing can be running.
 */
export async function lockHolders(directories: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return new Map(Object.entries(await ask(directories, "now")).map(([directory, { pid }]) => [directory, pid]));
}

/** The process that writes a directory, and the machine that it is on, where it is another (else null); undefined when nobody does. */
export async function lockHolder(directory: string): Promise<Holder | undefined> {
  return (await ask([directory], "now"))[directory];
}

/**
 * Make sure that nobody writes a run, before seconds are spent on starting; who gets it in the end is decided by the lock itself. A process that is about to
 * end, as its Node was killed, is waited for.
 * @throws {BhBridgeError} `RUN_LOCKED` naming the process.
 */
export async function requireUnlocked(directory: string): Promise<void> {
  const holder = (await ask([directory], "after-patience"))[directory];
  if (holder !== undefined) throw lockedBy(directory, holder);
}

async function ask(directories: readonly string[], how: keyof typeof timeoutMs): Promise<Readonly<Record<string, Holder>>> {
  const interpreter = directories.length > 0 ? firstInterpreter() : undefined;
  if (interpreter === undefined) return {};
  return parseHolders(await runPythonScript(interpreter, { file: "process/lock_holders.py", args: [how, ...directories], timeoutMs: timeoutMs[how] }));
}

function firstInterpreter(): string | undefined {
  try {
    return pythonCandidates()[0].path;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "PYTHON_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The lock of a directory that this process writes; the kernel lets go of it however the process ends. */
interface DirectoryLock extends AsyncDisposable {
  /** Settles when the lock is held no longer. */
  readonly ended: Promise<void>;
}

/**
 * Take the lock of a directory by name, for as long as this process lives or until it is disposed of. A small Python holds it: Node cannot ask the kernel.
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
