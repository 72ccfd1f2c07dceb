import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { analyze } from "../../analysis/analyze.js";
import type { RecordedRun } from "../../analysis/recorded-run.js";
import { recordedRun } from "../../runs/recorded-run.js";
import type { Absent } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

type Requested = "phases" | "kinematics" | "deadMass" | "adamw";

/** An analysis that is made on request alone, made for a figure. */
export interface RequestedAnalysis<Name extends Requested> {
  readonly document: AnalysisDocument;
  readonly part: NonNullable<AnalysisDocument[Name]>;
}

/**
 * One of the analyses that are made on request alone, or why the run has nothing for it.
 *
 * @param recorded what it recorded beside its embedding, where the analysis should not see all of it.
 */
export async function requestedAnalysis<Name extends Requested>(
  run: RunSource,
  name: Name,
  recorded: RecordedRun | undefined = recordedRun(run.directory),
): Promise<RequestedAnalysis<Name> | Absent> {
  const history = await run.history();
  if (history.states < 2) return { absent: "it has taken no step yet" };
  const document = await analyze(history, { ...run.scan, only: [name], run: recorded });
  const part = document[name];
  if (part !== undefined) return { document, part };
  const leftOut = `left out: ${name}: `;
  return { absent: document.notes.find((note) => note.startsWith(leftOut))?.slice(leftOut.length) ?? "it was left out" };
}
