import { BhBridgeError } from "../../errors.js";
import type { FindPythonOptions } from "../../python/find-python.js";
import { resolvePython, type UsablePython } from "../../python/require-packages.js";
import { packageOf, type SetupOptions, type SetupResult, setupPython } from "../../python/setup/setup-python.js";
import { chooseTorch, downloadEnvironment } from "../../python/setup/uv-environment.js";
import { createProgress, createStatusLine, formatDuration, type Progress, type StatusLine } from "../terminal/progress.js";
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

/** What a set-up reports: steps in a status line, downloads as a bar. */
function reporterOf(terminal: Terminal): Required<Pick<SetupOptions, "onStep" | "onDownload">> & Disposable {
  let shown: StatusLine | Progress | undefined;
  let status: StatusLine | undefined;
  let bar: Progress | undefined;
  let expected = 0;
  const stop = () => shown?.stop();
  return {
    onStep: ({ text, detail }) => {
      if (!status) {
        stop();
        status = createStatusLine(terminal);
        [shown, bar] = [status, undefined];
      }
      status.show(text, detail);
    },
    onDownload: (done, total, file) => {
      const [doneMB, totalMB] = [Math.round(done / megabyte), Math.round(total / megabyte)];
      if (!bar || totalMB !== expected) {
        stop(); // the server has reported another size
        expected = totalMB;
        bar = createProgress(terminal, "Downloading", "MB", totalMB, doneMB);
        [shown, status] = [bar, undefined];
      }
      bar.update(doneMB, packageOf(file));
    },
    [Symbol.dispose]: stop,
  };
}

const megabyte = 1e6;

/** Create the Python environment with progress on stderr. @throws {BhBridgeError} as `setupPython`. */
export async function runSetup(options: SetupOptions, terminal: Terminal): Promise<FinishedSetup> {
  const startedAt = performance.now();
  using reporter = reporterOf(terminal);
  const result = await setupPython({ ...options, ...reporter });
  return { ...result, seconds: Math.round(performance.now() - startedAt) / 1000 };
}

export function describeSetup({ status, directory, python, seconds, installer }: FinishedSetup): string {
  const what = `Python ${python.version}, torch ${python.packages.torch}, transformers ${python.packages.transformers}`;
  if (status === "complete") return `Already complete: ${directory} (${what})`;
  return `Ready in ${formatDuration(seconds)}: ${directory} (${what}; ${installer ? `installed with ${installer.name}: ${installer.reason}` : ""})`;
}

/** Download all that a machine without a network needs, with progress on stderr. @throws {BhBridgeError} as `downloadEnvironment`. */
export async function runDownload(folder: string, { torch: asked = "auto", ...options }: SetupOptions, terminal: Terminal) {
  using reporter = reporterOf(terminal);
  const { torch } = await chooseTorch(asked, options.signal);
  return { torch, ...(await downloadEnvironment(folder, { ...options, torch, ...reporter })) };
}
