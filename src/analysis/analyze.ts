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

/** What analyses are admitted by. */
interface Admission {
  readonly history: History;
  readonly run: RecordedRun | undefined;
  readonly settings: AnalysisSettings;
}

/** Those of the wanted analyses that a history admits. What is left out is noted, in one line for each reason. */
export function admittedAnalyses(wanted: readonly Analysis[], { history, run, settings }: Admission, notes: AnalysisNotes): Analysis[] {
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

export interface AnalyzeOptions extends ScanOptions, AnalysisSettingsInput {
  /** The run that the history is of, for the analyses of what it recorded beside its embedding; `recordedRun` makes it of a directory. */
  readonly run?: RecordedRun | undefined;
  /** Another history, for analyses that compare two: `kinematics` says how far they go apart. */
  readonly against?: History | undefined;
  /** The analyses wanted, registered ones among them; all but those on request when absent. */
  readonly only?: readonly (AnalysisName | (string & Record<never, never>))[] | undefined;
}

function wantedAnalyses(only: readonly string[] | undefined): readonly Analysis[] {
  const all = allAnalyses();
  if (!only) return all.filter(({ isOnRequest }) => !isOnRequest);
  const names = all.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new BhBridgeError("USAGE", `only: there is no analysis "${unknown}"; there are ${names.join(", ")}`);
  return all.filter(({ name }) => only.includes(name));
}

/** How to read a document whose states are not all steps, or whose rows not all tokens. */
function noteLabels({ steps, rowTokens }: History, { note }: AnalysisNotes): void {
  if (steps) {
    note("not every training step was recorded from 0 on: `steps` has the training step of each state, and a step here is the move from one state to the next");
  }
  if (rowTokens.ids) {
    note(`the history holds ${count(rowTokens.ids.length, "chosen token")}: per-token arrays have an entry for each, in the order of \`tokenIds\``);
  }
}

/** What every document begins with. */
function headOf(history: History, sightings: Sightings, finalCensus: Census, notes: AnalysisNotes): Omit<AnalysisDocument, AnalysisName | "notes"> {
  const { source, states, tokens, dims, dtype, steps, rowTokens } = history;
  const { degenerate, nonfiniteTokens } = soundnessOf(sightings, rowTokens);
  if (nonfiniteTokens.length > 0) {
    notes.note(`${count(nonfiniteTokens.length, "token holds", "tokens hold")} NaN or infinity: figures that are not finite because of it are null`);
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
 * Analyse a history: what `analyze --json` prints. The history is read once, whatever is wanted, and some of its states a second time.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `USAGE` for an analysis that there is not, and when `k` is not a whole number; `ABORTED`;
 * what reading the history throws.
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
  // Each part is what the schema of its analysis says.
  return { ...head, ...parts, notes: lines } as AnalysisDocument;
}
