import { BhBridgeError } from "../../errors.js";
import type { FindPythonOptions } from "../../python/find-python.js";
import { resolvePython, type UsablePython } from "../../python/require-packages.js";
import { type SetupOptions, type SetupResult, setupPython } from "../../python/setup/setup-python.js";
import { createStatusLine, formatDuration } from "../terminal/progress.js";
import type { Terminal } from "../terminal/terminal.js";

/** Whether `bh-bridge setup` would help. Its environment is not used when the user chose another Python. */
function setupWouldHelp(error: unknown, { python, config, env = process.env }: FindPythonOptions): error is BhBridgeError {
  if (python !== undefined || config !== undefined || env["BH_BRIDGE_PYTHON"]) return false;
  return error instanceof BhBridgeError && (error.code === "PYTHON_NOT_FOUND" || error.code === "PYTHON_DEPENDENCY_MISSING");
}

async function askForSetup(signal?: AbortSignal): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  return (await confirm({ message: 'Run "bh-bridge setup" now?', output: process.stderr, ...(signal && { signal }) })) === true; // a symbol if cancelled
}

/**
 * The interpreter to train with. If none has all packages, a user at a terminal is asked whether to create an environment; nothing is installed unasked.
 * @throws {BhBridgeError} as `resolvePython` and `setupPython`.
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

type FinishedSetup = SetupResult & { readonly seconds: number };

/** Create the Python environment with progress on stderr. @throws {BhBridgeError} as `setupPython`. */
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

export function describeSetup({ status, directory, python, seconds }: FinishedSetup): string {
  const what = `Python ${python.version}, torch ${python.packages.torch}, transformers ${python.packages.transformers}`;
  return status === "complete" ? `Already complete: ${directory} (${what})` : `Ready in ${formatDuration(seconds)}: ${directory} (${what})`;
}
