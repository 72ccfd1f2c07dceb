import { analyze } from "../analysis/analyze.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { openHistory } from "../runs/open-history.js";
import { writeAnalysis } from "../runs/run-analysis.js";
import { readRunManifest } from "../runs/run-manifest.js";
import { sealRun } from "../runs/seal-run.js";
import { summarizeRun } from "./summarize-run.js";
import type { TrainResult } from "./train-result.js";

/**
 * Analyse a run whose training has ended, write its `analysis.json` and its checksums, and say what came out: from its files alone.
 *
 * @throws {BhBridgeError} `ABORTED`, which loses nothing: the run is complete, and can be analysed at any time.
 */
export async function concludeRun(directory: string, config: RunConfig, options: ScanOptions = {}): Promise<TrainResult> {
  const history = await openHistory(directory);
  try {
    const analysis = await analyze(history, options);
    writeAnalysis(directory, analysis);
    sealRun(directory);
    return await summarizeRun(directory, config, readRunManifest(directory), { known: analysis.degenerate });
  } finally {
    history.close();
  }
}
