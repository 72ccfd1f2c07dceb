import { BhBridgeError } from "../../errors.js";
import type { FindPythonOptions } from "../../python/find-python.js";
import { resolvePython, type UsablePython } from "../../python/require-packages.js";
import { type SetupOptions, type SetupResult, setupPython } from "../../python/setup/setup-python.js";
import { createStatusLine, formatDuration } from "../terminal/progress.js";
import type { Terminal } from "../terminal/terminal.js";

/** Whether the set-up would help: it makes an environment, which is not looked at when another Python was asked for. */
function setupWouldHelp(error: unknown, { python, config, env = process.env }: FindPythonOptions): error is BhBridgeError {
  if (python !== undefined || config !== undefined || env["BH_BRIDGE_PYTHON"]) return false;
  return error instanceof BhBridgeError && (error.code === "PYTHON_NOT_FOUND" || error.code === "PYTHON_DEPENDENCY_MISSING");
}

async function askForSetup(signal?: AbortSignal): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  const message = 'Run "bh-bridge setup" now?';
  // A cancelled prompt answers with a symbol.
  return (await confirm({ message, output: process.stderr, ...(signal && { signal }) })) === true;
}

/**
 * The interpreter to train with. When there is none with all packages, somebody at a terminal is asked whether to make an environment now;
 * nothing is ever installed unasked.
 *
 * @throws {BhBridgeError} as `resolvePython`, which says what to run; as `setupPython` when the set-up fails.
 */
export async function ensurePython(options: FindPythonOptions, terminal: Terminal, signal?: AbortSignal): Promise<UsablePython> {
  const status = createStatusLine(terminal);
  try {
    status.show("looking for Python", true);
    return await resolvePython(options, signal).finally(() => status.stop());
  } catch (error) {
    if (!terminal.canAsk || !setupWouldHelp(error, options)) throw error;
    terminal.say(error.message);
    if (!(await askForSetup(signal))) throw error;
    const result = await runSetup({ ...(signal && { signal }) }, terminal);
    terminal.say(describeSetup(result));
    return await resolvePython(options, signal);
  }
}

/** The outcome of a set-up, and how long it took. */
interface FinishedSetup extends SetupResult {
  seconds: number;
}

/** Make the Python environment, with what pip is at shown on stderr. Throws as `setupPython` does. */
export async function runSetup(options: SetupOptions, terminal: Terminal): Promise<FinishedSetup> {
  const startedAt = performance.now();
  const status = createStatusLine(terminal);
  try {
    const result = await setupPython({ ...options, onStep: ({ text, detail }) => status.show(text, detail) });
    return { ...result, seconds: Math.round(performance.now() - startedAt) / 1000 };
  } finally {
    status.stop();
  }
}

/** One line on what `setup` did, for people. */
export function describeSetup({ status, directory, python, seconds }: FinishedSetup): string {
  const what = `Python ${python.version}, torch ${python.packages.torch}, transformers ${python.packages.transformers}`;
  return status === "complete" ? `Already complete: ${directory} (${what})` : `Ready in ${formatDuration(seconds)}: ${directory} (${what})`;
}
