import type { ScanOptions } from "../analysis/scan/scan-options.js";
import { BhBridgeError } from "../errors.js";
import { type FigureOrAbsent, figuresOfRuns, runFigureNames } from "../figures/run-figures.js";
import { runLabels } from "../figures/run-labels.js";
import { RunSource } from "../figures/runs/run-source.js";
import type { ReportSubject } from "./report-subject.js";

/** The figures of what a report is about, and those that it has nothing for. @throws {BhBridgeError} what reading runs throws; `ABORTED`. */
export async function subjectFigures(subject: ReportSubject, scan: ScanOptions = {}): Promise<FigureOrAbsent[]> {
  if (subject.kind !== "runs") throw new BhBridgeError("USAGE", `${subject.directory} is no run: name one of the runs in it`);
  const runs: RunSource[] = [];
  try {
    for (const directory of subject.runs) runs.push(new RunSource(directory, scan));
    const labels = runLabels(runs);
    const labelled = runs.map((run, index) => ({ label: labels[index] ?? "", run }));
    const figures: FigureOrAbsent[] = [];
    for (const name of runFigureNames) figures.push(...(await figuresOfRuns(name, labelled)));
    return figures;
  } finally {
    for (const run of runs) run[Symbol.dispose]();
  }
}
