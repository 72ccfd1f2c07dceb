import { type SetupOptions, type SetupResult, setupPython } from "../../python/setup/setup-python.js";
import { formatDuration } from "../terminal/progress.js";
import { createStatusLine } from "../terminal/status-line.js";
import type { Terminal } from "../terminal/terminal.js";

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
