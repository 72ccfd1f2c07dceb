import type { History } from "../formats/history.js";
import type { Analysis } from "./analysis.js";
import type { AnalysisNotes } from "./analysis-notes.js";
import type { AnalysisSettings } from "./analysis-settings.js";
import type { RecordedRun } from "./recorded-run.js";

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
