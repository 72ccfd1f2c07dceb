import type { RunConfig } from "../../config/run-config-schema.js";
import { exitCodes } from "../../errors.js";
import type { TrainResult } from "../../runner/train-result.js";
import type { Terminal } from "../terminal/terminal.js";
import { formatResult, formatTraps } from "./format-result.js";

/** Print what came out of a run, for people; the notebook's traps come last, and not under `--quiet`. */
export function printResult(result: TrainResult, config: RunConfig, terminal: Terminal): void {
  terminal.print(formatResult(result, config, terminal.color, terminal.width));
  const traps = formatTraps(result, terminal.color, terminal.width);
  if (traps !== "" && !terminal.quiet) terminal.print(traps);
}

/** Print what came out of a run, for people or as its document. A run that was not finite at its end has failed, and the exit code says so. */
export function showResult(result: TrainResult, config: RunConfig, terminal: Terminal): void {
  printResult(result, config, terminal);
  terminal.document(result);
  if (!result.finite) process.exitCode = exitCodes.failed;
}
