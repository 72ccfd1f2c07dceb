import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { pythonCandidates } from "./find-python.js";
import { runPythonScript } from "./run-python-script.js";

/** The script answers in 30 ms; this stops an interpreter that hangs. */
const timeoutMs = 10_000;
/** A Python whose Node was killed lets go of its run within 1.2 s. */
const patienceMs = 2500;

const answerSchema = z.strictObject({ holders: z.record(z.string(), z.int().nonnegative()) });

/**
 * Which of these run directories are being written, and by which process (0: it left no number).
 *
 * The kernel is asked, through the first Python that is found: Node cannot ask for a lock, and what a file says can be out of date. Where there is no
 * Python nothing can be running.
 */
export async function lockHolders(directories: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (directories.length === 0) return new Map();
  const interpreter = firstInterpreter();
  if (interpreter === undefined) return new Map();
  const { holders } = answerSchema.parse(await runPythonScript(interpreter, { file: "lock_holders.py", args: directories, timeoutMs }));
  return new Map(Object.entries(holders));
}

/**
 * Make sure that nobody writes a run, before minutes are spent on starting; who gets it in the end is decided by the lock itself.
 *
 * @throws {BhBridgeError} `RUN_LOCKED` naming the process.
 */
export async function requireUnlocked(directory: string): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const holder = (await lockHolders([directory])).get(directory);
    if (holder === undefined) return;
    if (performance.now() > giveUpAt) {
      const who = holder === 0 ? "another process" : `process ${holder}`;
      throw new BhBridgeError("RUN_LOCKED", `${directory} is in use by ${who}: wait for it, or stop it with Ctrl-C`);
    }
  }
}

function firstInterpreter(): string | undefined {
  try {
    return pythonCandidates()[0].path;
  } catch (error) {
    if (error instanceof BhBridgeError && error.code === "PYTHON_NOT_FOUND") return undefined;
    throw error;
  }
}
