import type { ScanOptions } from "../analysis/scan/observation.js";
import { experimentFigures } from "../figures/many/experiment-figures.js";
import { sweepFigures } from "../figures/many/sweep-figures.js";
import { type FigureOrAbsent, figuresOfRuns, runFigureNames, runLabels } from "../figures/run-figures.js";
import { RunSource } from "../figures/runs/run-figure.js";
import { noLockHolders } from "../runs/scan-runs.js";
import { readSweep } from "../sweep/read-sweep.js";
import { experimentPage, sweepPage } from "./many-pages.js";
import type { Page } from "./page.js";
import { readExperiment } from "./read-experiment.js";
import type { ReportSubject } from "./report-subject.js";
import { runPage, runsPage } from "./run-page.js";

/** A report, before it is written: its page, and its figures, those that it has nothing for among them. */
export interface Report {
  readonly page: Page;
  readonly figures: readonly FigureOrAbsent[];
}

/** Make the report of what is meant, from files alone. @throws {BhBridgeError} what reading runs throws; `ABORTED`. */
export async function makeReport(subject: ReportSubject, scan: ScanOptions = {}): Promise<Report> {
  if (subject.kind === "runs") return await reportOfRuns(subject.runs, scan);
  if (subject.kind === "experiment") {
    const document = await readExperiment(subject.directory, scan);
    const figures = (await experimentFigures(document, scan)).map((figure) => ({ figure }));
    return { page: experimentPage(document, figures), figures };
  }
  const document = await readSweep(subject.directory, noLockHolders);
  const figures = sweepFigures(document).map((figure) => ({ figure }));
  return { page: sweepPage(document, figures), figures };
}

async function reportOfRuns(directories: readonly string[], scan: ScanOptions): Promise<Report> {
  const runs: RunSource[] = [];
  try {
    for (const directory of directories) runs.push(new RunSource(directory, scan));
    const labels = runLabels(runs);
    const labelled = runs.map((run, index) => ({ label: labels[index] ?? "", run }));
    const figures: FigureOrAbsent[] = [];
    for (const name of runFigureNames) figures.push(...(await figuresOfRuns(name, labelled)));
    const [only, ...others] = labelled;
    const page = only && others.length === 0 ? await runPage(only, figures) : await runsPage(labelled, figures);
    return { page, figures };
  } finally {
    for (const run of runs) run[Symbol.dispose]();
  }
}
