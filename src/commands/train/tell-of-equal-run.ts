import { relative } from "node:path";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { equalRunOf } from "../../runner/find-equal-run.js";
import { openRun } from "../../runner/open-run.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { pythonOf } from "./run-in-terminal.js";
import { showResult } from "./show-result.js";

/** Tell the result of an equal run that is complete, where there is one; whether there is. */
export async function tellOfEqualRun(resolved: ResolvedConfig, where: { out: string; startFrom?: string }, terminal: Terminal): Promise<boolean> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping" });
  const { signal } = stop;
  const directory = await equalRunOf(resolved, () => ensurePython(pythonOf(resolved), terminal, signal), { ...where, signal });
  if (directory === undefined) return false;
  terminal.say(`Complete already, with the same configuration, text, device and threads: ${relative(process.cwd(), directory) || "."}`);
  const run = await openRun(directory);
  showResult(await run.result({ signal }), run.config, terminal);
  return true;
}
