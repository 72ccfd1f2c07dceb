import type { AnalysisName } from "../../analysis/analyses.js";
import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { analyze } from "../../analysis/analyze.js";
import type { RecordedRun } from "../../analysis/recorded-run.js";
import { recordedRun } from "../../runs/recorded-run.js";
import type { Absent } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

/** An analysis that is made on request alone, made for a figure. */
export interface RequestedAnalysis<Name extends AnalysisName> {
  readonly document: AnalysisDocument;
  readonly part: NonNullable<AnalysisDocument[Name]>;
}

/**
 * One of the analyses that are made on request alone, or why the run has nothing for it.
 *
 * @param recorded what it recorded beside its embedding, where the analysis should not see all of it.
 */
export async function requestedAnalysis<Name extends AnalysisName>(
  run: RunSource,
  name: Name,
  recorded: RecordedRun | undefined = recordedRun(run.directory),
): Promise<RequestedAnalysis<Name> | Absent> {
  const history = await run.history();
  if (history.states < 2) return { absent: "it has taken no step yet" };
  const document = await analyze(history, { ...run.scan, only: [name], run: recorded });
  const part = document[name];
  if (part !== undefined) return { document, part };
  return { absent: leftOut(document, name) };
}

/** Why a document lacks the part of an analysis. */
export function leftOut({ notes }: AnalysisDocument, name: AnalysisName): string {
  const words = `left out: ${name}: `;
  return notes.find((note) => note.startsWith(words))?.slice(words.length) ?? "it was left out";
}
