import { BhBridgeError } from "../errors.js";
import { type History, readState } from "../formats/history.js";
import { count } from "../text/format.js";
import { type AnalysisName, allAnalyses } from "./analyses.js";
import { type Analysis, type AnalysisNotes, analysisNotes, type RecordedRun } from "./analysis.js";
import type { AnalysisDocument } from "./analysis-document.js";
import { type Census, census } from "./census/census.js";
import { type AnalysisSettings, type AnalysisSettingsInput, analysisSettings, type ScanOptions } from "./scan/observation.js";
import { scanHistory } from "./scan/scan-history.js";
import type { Sightings } from "./scan/state-scanner.js";
import { timelineOf } from "./timeline/timeline.js";
import { soundnessOf } from "./verdict.js";

/** The wanted analyses whose needs are met. Omitted analyses and fields are noted, one line per reason. */
export function admittedAnalyses(
  wanted: readonly Analysis[],
  { history, run, settings }: { history: History; run: RecordedRun | undefined; settings: AnalysisSettings },
  notes: AnalysisNotes,
): Analysis[] {
  const leftOut = new Map<string, string[]>();
  const admits = ({ name, needs = [] }: Analysis): boolean => {
    for (const need of needs) {
      const reason = need.unmet(history, settings, run);
      if (reason === undefined) continue;
      const names = need.fields?.map((field) => `${name}.${field}`) ?? [name];
      leftOut.set(reason, [...(leftOut.get(reason) ?? []), ...names]);
      if (!need.fields) return false;
    }
    return true;
  };
  const admitted = wanted.filter(admits);
  for (const [reason, names] of leftOut) notes.leaveOut(names, reason);
  return admitted;
}

/** Options of `analyze`. */
export interface AnalyzeOptions extends ScanOptions, AnalysisSettingsInput {
  /** The run of the history, for analyses of other recorded tensors; `recordedRun` opens it from a directory. */
  readonly run?: RecordedRun | undefined;
  /** Another history to compare with: `kinematics` reports their divergence. */
  readonly against?: History | undefined;
  /** Names of built-in or registered analyses (default: all that are not on request). */
  readonly only?: readonly (AnalysisName | (string & Record<never, never>))[] | undefined;
}

function wantedAnalyses(only: readonly string[] | undefined): readonly Analysis[] {
  const all = allAnalyses();
  if (!only) return all.filter(({ isOnRequest }) => !isOnRequest);
  const names = all.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new BhBridgeError("USAGE", `only: unknown analysis "${unknown}". Use ${names.join(", ")}`);
  return all.filter(({ name }) => only.includes(name));
}

/** Note if states are not all steps, or rows not all tokens. */
function noteLabels({ steps, rowTokens }: History, { note }: AnalysisNotes): void {
  if (steps) note("some training steps were not recorded: `steps` lists the step of each snapshot, and steps here are moves from one snapshot to the next");
  if (rowTokens.ids) {
    note(`the history holds ${count(rowTokens.ids.length, "chosen token")}: per-token arrays have one entry for each, in the order of \`tokenIds\``);
  }
}

function headOf(history: History, sightings: Sightings, finalCensus: Census, notes: AnalysisNotes): Omit<AnalysisDocument, AnalysisName | "notes"> {
  const { source, states, tokens, dims, dtype, steps, rowTokens } = history;
  const { degenerate, nonfiniteTokens } = soundnessOf(sightings, rowTokens);
  if (nonfiniteTokens.length > 0) {
    notes.note(`${count(nonfiniteTokens.length, "token holds", "tokens hold")} NaN or infinity: numbers that are not finite for this reason are null`);
  }
  const { members, texts, ...counts } = finalCensus;
  return {
    schema: "bh-bridge/analysis@1",
    source,
    states,
    tokens,
    dims,
    dtype,
    ...(steps && { steps: [...steps] }),
    ...(rowTokens.ids && { tokenIds: [...rowTokens.ids] }),
    degenerate,
    ...notes.perToken({ nonfiniteTokens }, nonfiniteTokens.length),
    finalCensus: { ...counts, ...notes.perToken({ members, ...(texts && { texts }) }, counts.P, "finalCensus.") },
  };
}

/**
 * Analyse a history and return the document of `analyze --json`. The history is read once, some of its states twice.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `USAGE` for an unknown analysis, or if `k` is not a whole number; `ABORTED`; read errors.
 */
export async function analyze(history: History, options: AnalyzeOptions = {}): Promise<AnalysisDocument> {
  const settings = analysisSettings(options);
  const lines: string[] = [];
  const notesOf = (part: string): AnalysisNotes => analysisNotes(lines, settings.maxTokens, part);
  const wanted = wantedAnalyses(options.only);
  noteLabels(history, notesOf(""));
  const analyses = admittedAnalyses(wanted, { history, run: options.run, settings }, notesOf(""));
  const observations = [...new Set(analyses.flatMap(({ observation }) => observation ?? []))];
  const { counts, sightings, observed } = await scanHistory(history, observations, options);
  const finalCensus = census(readState(history, history.states - 1));
  const head = headOf(history, sightings, finalCensus, notesOf(""));
  const analysed = {
    history,
    run: options.run,
    against: options.against,
    settings,
    signal: options.signal,
    timeline: timelineOf(counts),
    sightings,
    finalCensus,
  };
  const ranges = new Map<unknown, unknown>(observations.map((observation, index) => [observation, observed[index]]));
  const parts: Record<string, unknown> = {};
  for (const analysis of analyses) {
    parts[analysis.name] = await analysis.finish({ ...analysed, ...notesOf(`${analysis.name}.`), range: ranges.get(analysis.observation) });
  }
  // Each part has the schema of its analysis.
  return { ...head, ...parts, notes: lines } as AnalysisDocument;
}
