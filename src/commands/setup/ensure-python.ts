import { BhBridgeError } from "../../errors.js";
import type { FindPythonOptions } from "../../python/find-python.js";
import { resolvePython, type UsablePython } from "../../python/resolve-python.js";
import { createStatusLine } from "../terminal/status-line.js";
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
    const { describeSetup, runSetup } = await import("./run-setup.js");
    const result = await runSetup({ ...(signal && { signal }) }, terminal);
    terminal.say(describeSetup(result));
    return await resolvePython(options, signal);
  }
}
