import { type AnalysisSettingsInput, analysisSettings, type Observation } from "../../../../src/analysis/scan/observation.js";
import { scanRange } from "../../../../src/analysis/scan/scan-range.js";
import type { History } from "../../../../src/formats/history.js";

/** What an observation tells of the states `first` to `end − 1` of a history. */
export function observed<Range>(observation: Observation<Range>, history: History, first: number, end: number, settings: AnalysisSettingsInput = {}): Range {
  const { dtype, tokens, dims } = history;
  const request = { dtype, tokens, dims, first, end, settings: analysisSettings(settings), kernels: "plain" as const };
  const scan = scanRange((from, count, target) => history.read(from, count, target), request, [observation]);
  for (let step = scan.next(); ; step = scan.next()) if (step.done) return step.value.observed[0] as Range;
}
