import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { analyze } from "../../analysis/analyze.js";
import { census } from "../../analysis/census/census.js";
import type { ScanOptions } from "../../analysis/scan/observation.js";
import type { History } from "../../formats/history.js";
import { readState } from "../../formats/read-state.js";
import { stepOfState, stepsOf } from "../../formats/state-of-step.js";
import { summarizeRun } from "../../runner/summarize-run.js";
import { finalLoss, type TrainResult } from "../../runner/train-result.js";
import { openHistory } from "../../runs/open-history.js";
import { lastEvent } from "../../runs/read-events.js";
import { readAnalysis } from "../../runs/run-analysis.js";
import { readRunConfig } from "../../runs/run-config.js";
import { readRunManifest } from "../../runs/run-manifest.js";
import { trialResult } from "../trial-result.js";
import { numberAtAnalysisPath } from "./analysis-path.js";
import type { ExperimentRun } from "./experiment-run.js";
import { type FigureName, type Measure, parseMeasure } from "./measures.js";

/** Everything that a measure is taken from. */
interface Sources {
  readonly directory: string;
  readonly history: History;
  readonly deadTokens: readonly number[];
  readonly result: TrainResult;
  readonly analysis: AnalysisDocument;
}

/**
 * A finished run as the verdict of its experiment sees it, from its files alone; analysed now, where it has no analysis.
 *
 * @param measures their names; the score needs none.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `FORMAT_INVALID`, `ABORTED`.
 */
export async function readExperimentRun(directory: string, arm: string, measures: readonly string[], scan: ScanOptions = {}): Promise<ExperimentRun> {
  const config = readRunConfig(directory);
  const manifest = readRunManifest(directory);
  const history = await openHistory(directory);
  try {
    const analysis = readAnalysis(directory) ?? (await analyze(history, scan));
    const result = await summarizeRun(directory, config, manifest, { known: analysis.degenerate, ...scan });
    const deadTokens = manifest.corpus.deadTokens.filter((token) => history.rowTokens.has(token));
    const sources = { directory, history, deadTokens, result, analysis };
    const outcome = trialResult(result);
    return {
      arm,
      seed: config.seed,
      run: directory,
      score: outcome.verdict,
      degenerate: analysis.degenerate,
      census: outcome.census,
      displacement: outcome.displacement,
      finalLoss: outcome.finalLoss,
      values: Object.fromEntries(measures.filter((name) => name !== "score").map((name) => [name, take(parseMeasure(name), sources)])),
    };
  } finally {
    history.close();
  }
}

function take(measure: Measure, sources: Sources): number | null {
  if (measure.from === "score") return null; // it is in the run's verdict
  if (measure.from === "run") return figures[measure.figure](sources);
  if (measure.from === "analysis") return numberAtAnalysisPath(sources.analysis, measure.path);
  return counted(measure, sources);
}

const figures: Readonly<Record<FigureName, (sources: Sources) => number | null>> = {
  displacement: ({ result }) => result.displacement.float64,
  finalLoss: ({ result }) => finalLoss(result),
  evalLoss: ({ directory }) => finite(lastEvent(directory, "evaluate")?.metrics["eval_loss"]),
  stepsToFreeze: ({ analysis }) => stepsToFreeze(analysis),
};

/** A count of a recorded state; null where its step was not recorded, as in a run that was stopped before. */
function counted({ count, tokens, step }: Measure & { from: "census" }, { history, deadTokens }: Sources): number | null {
  const state = step === null ? history.states - 1 : stepsOf(history).indexOf(step);
  return state < 0 ? null : census(readState(history, state), tokens === "dead" ? deadTokens : undefined)[count];
}

function finite(value = Number.NaN): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The step of the first state from which on no token moves: entry i of `frozenFraction` is of the way from state i to the next. */
function stepsToFreeze({ motion, steps }: AnalysisDocument): number | null {
  const state = motion?.frozenFraction.indexOf(1) ?? -1;
  return state < 0 ? null : stepOfState({ steps }, state);
}
