import { realpathSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { analyze } from "../../analysis/analyze.js";
import { census } from "../../analysis/census/census.js";
import { censusShape } from "../../analysis/document-fields.js";
import type { ScanOptions } from "../../analysis/scan/observation.js";
import { degeneracies } from "../../analysis/verdict.js";
import { configInvalid } from "../../config/config-invalid.js";
import type { ConfigIssue } from "../../errors.js";
import { type History, readState, stepOfState, stepsOf } from "../../formats/history.js";
import { summarizeRun } from "../../runner/summarize-run.js";
import { finalLoss, type TrainResult } from "../../runner/train-result.js";
import { openHistory } from "../../runs/open-history.js";
import { lastEvent } from "../../runs/read-events.js";
import { readAnalysis } from "../../runs/recorded-run.js";
import { readRunConfig, trialOfRun } from "../../runs/run-config.js";
import { type RunManifest, readRunManifest } from "../../runs/run-manifest.js";
import { trialResult } from "../pool/trial-task.js";
import { type FigureName, type Measure, numberAtAnalysisPath, parseMeasure } from "./measures.js";
import type { Rules } from "./rules.js";

const figure = z.number().nullable();

/** One run of an experiment, as the verdict sees it. */
export const experimentRunSchema = z.strictObject({
  arm: z.string(),
  seed: z.int().nonnegative(),
  run: z.string().describe("Path of the run directory"),
  score: z.strictObject({ result: z.enum(["null", "positive", "degenerate"]), reason: z.string() }).describe("The notebook's verdict on the run alone"),
  degenerate: z.array(z.enum(degeneracies)).readonly().describe("Why its numbers are meaningless; empty if they are not"),
  census: z.strictObject(censusShape).omit({ members: true, texts: true }).describe("Of the last state"),
  displacement: z.strictObject({ float64: figure, float32: figure, bfloat16: figure }),
  finalLoss: figure,
  values: z.record(z.string(), figure).describe("By measure, except the score; null if the run has no such number"),
});
export type ExperimentRun = z.output<typeof experimentRunSchema>;

/** The measured values of a run. A row of another tool's table has no notebook's score. */
export type MeasuredRun = Pick<ExperimentRun, "arm" | "seed" | "degenerate" | "values"> & Partial<Pick<ExperimentRun, "score">>;

/** The runs of an experiment and how to judge them. */
export interface ExperimentEvidence<Run extends MeasuredRun = ExperimentRun> {
  readonly rules: Rules;
  /** All planned seeds. */
  readonly seeds: readonly number[];
  /** Name of the first arm. */
  readonly control: string;
  /** Names of the other arms. */
  readonly treatments: readonly string[];
  /** The ended runs. */
  readonly runs: readonly Run[];
  /** Measures that are 0 or 1 in every run (default: the score). */
  readonly binary?: readonly string[];
}

/** The value of a measure in a run; null if missing or if the run is degenerate. A score is 1 for positive and 0 for null. */
export function measuredValue({ degenerate, score, values }: MeasuredRun, measure: string): number | null {
  if (degenerate.length > 0) return null;
  if (measure === "score" && score) return score.result === "degenerate" ? null : Number(score.result === "positive");
  return values[measure] ?? null;
}

interface Sources {
  readonly directory: string;
  readonly history: History;
  readonly deadTokens: readonly number[];
  readonly result: TrainResult;
  readonly analysis: AnalysisDocument;
}

/**
 * Read a finished run for the verdict, from its files; analyze it now if it has no analysis.
 * @param measures names of measures other than the score.
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

/** A count of a recorded state; null if its step was not recorded. */
function counted({ count, tokens, step }: Measure & { from: "census" }, { history, deadTokens }: Sources): number | null {
  const state = step === null ? history.states - 1 : stepsOf(history).indexOf(step);
  return state < 0 ? null : census(readState(history, state), tokens === "dead" ? deadTokens : undefined)[count];
}

function finite(value = Number.NaN): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The step of the first state after which no token moves. Entry i of `frozenFraction` covers the motion from state i to the next. */
function stepsToFreeze({ motion, steps }: AnalysisDocument): number | null {
  const state = motion?.frozenFraction.indexOf(1) ?? -1;
  return state < 0 ? null : stepOfState({ steps }, state);
}

/** What can identify a run as a duplicate. */
interface KnownRun {
  readonly arm: string;
  readonly seed: number;
  /** With links resolved. */
  readonly directory: string;
  readonly manifest: RunManifest;
}

/**
 * Require that every run is separate evidence: none counts twice, and each belongs to a planned arm and seed.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once; errors of reading a run.
 */
export function requireDistinctRuns({
  arms,
  seeds,
  runs,
}: {
  arms: readonly string[];
  seeds: readonly number[];
  runs: readonly { arm: string; directory: string }[];
}): void {
  const issues: ConfigIssue[] = [...repeated("arms", arms), ...repeated("seeds", seeds)];
  const known: KnownRun[] = [];
  for (const [at, { arm, directory }] of runs.entries()) {
    const run = { arm, seed: readRunConfig(directory).seed, directory: realpathSync(directory), manifest: readRunManifest(directory) };
    const problem = planProblem(run, arms, seeds) ?? known.map((earlier) => sharedWith(earlier, run)).find((found) => found !== undefined);
    if (problem !== undefined) issues.push({ path: `runs.${at}`, message: `${directory} ${problem}` });
    known.push(run);
  }
  if (issues.length > 0) throw configInvalid(issues);
}

function repeated(path: string, values: readonly (string | number)[]): ConfigIssue[] {
  const again = values.find((value, at) => values.indexOf(value) < at);
  return again === undefined ? [] : [{ path, message: `lists ${JSON.stringify(again)} more than once; list each one once` }];
}

function planProblem({ arm, seed }: KnownRun, arms: readonly string[], seeds: readonly number[]): string | undefined {
  if (!arms.includes(arm)) return `belongs to arm ${JSON.stringify(arm)}, which is not planned: the arms are ${arms.join(", ")}`;
  if (!seeds.includes(seed)) return `has seed ${seed}, which is not planned: the seeds are ${seeds.join(", ")}`;
  return undefined;
}

/** Why two runs are the same evidence; undefined if they are not. */
function sharedWith(earlier: KnownRun, run: KnownRun): string | undefined {
  if (earlier.directory === run.directory) {
    return earlier.arm === run.arm ? `is listed twice in arm ${run.arm}` : `is listed in arm ${earlier.arm} and in arm ${run.arm}: a run belongs to one arm`;
  }
  if (earlier.seed !== run.seed) return undefined;
  if (earlier.arm === run.arm) return `has seed ${run.seed}, as another run of arm ${run.arm} has (${earlier.directory}): one run for each arm and seed`;
  return isSameTraining(earlier.manifest, run.manifest)
    ? `repeats the training of ${earlier.directory}, with an equal configuration, text and environment: arms ${earlier.arm} and ${run.arm} must differ`
    : undefined;
}

/** Whether two runs compute the same bits. Changed models never do, because their configuration does not show the change. */
function isSameTraining(one: RunManifest, other: RunManifest): boolean {
  const isPlain = one.model_changes.length === 0 && other.model_changes.length === 0;
  return (
    isPlain && trialOfRun(one) === trialOfRun(other) && one.package_version === other.package_version && isDeepStrictEqual(one.environment, other.environment)
  );
}
