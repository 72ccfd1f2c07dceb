import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { type AnalyzeOptions, analyze as analyzeHistory } from "../analysis/analyze.js";
import type { History } from "../formats/history.js";
import { openHistory } from "../runs/open-history.js";
import { recordedRun } from "../runs/recorded-run.js";

/**
 * Analyse a history: what `analyze --json` prints. The history is read once, whatever is wanted, and some of its states a second time.
 *
 * @param target an open history, which stays open; or the path of a run or of a file with a history, which is opened and closed again. Of a run, the tensors
 * that it recorded beside its embedding are analysed too.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `USAGE` for an unknown analysis, and when `k` is not a whole number; `ABORTED`; what
 * opening and reading the history throws.
 */
export async function analyze(target: History | string, options: AnalyzeOptions = {}): Promise<AnalysisDocument> {
  if (typeof target !== "string") return analyzeHistory(target, options);
  const history = await openHistory(target);
  try {
    return await analyzeHistory(history, { run: recordedRun(target), ...options });
  } finally {
    history.close();
  }
}
