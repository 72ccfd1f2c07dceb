import type { Experiment } from "../config/experiment-schema.js";
import type { TrainResult } from "../experiment/train-result.js";
import { formatResult } from "./format-result.js";
import type { Terminal } from "./terminal.js";

/** Print what came out of a run, for people or as its document. */
export function showResult(result: TrainResult, experiment: Experiment, terminal: Terminal): void {
  terminal.print(formatResult(result, experiment, terminal.color));
  terminal.document(result);
}
