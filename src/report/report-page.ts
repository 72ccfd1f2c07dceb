import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { BhBridgeError } from "../errors.js";
import { experimentFigures } from "../figures/many/experiment-figures.js";
import { sweepFigures } from "../figures/many/sweep-figures.js";
import { type FigureOrAbsent, figuresOfRuns, runFigureNames, runLabels } from "../figures/run-figures.js";
import { RunSource } from "../figures/runs/run-figure.js";
import { readRunDocument } from "../runs/read-run-json.js";
import { directoryOfRun, noLockHolders } from "../runs/scan-runs.js";
import { concludeExperiment } from "../sweep/experiment/conclude-experiment.js";
import { type ExperimentDocument, experimentDocumentSchema } from "../sweep/experiment/experiment-summary.js";
import { earlierLooks, isJudgedBy } from "../sweep/experiment/rules.js";
import { planFileName, readPlan } from "../sweep/plan/plan-directory.js";
import { readSweep } from "../sweep/sweep-summary.js";
import { experimentPage, sweepPage } from "./many-pages.js";
import { figuresOfPair, type Page, type Section } from "./page.js";
import { pairSection, runPage, runsPage } from "./run-page.js";

const resultFile = "result.json";

/**
 * The document of an experiment: from `result.json` if that has all completed runs and the rules of this version, otherwise from the files of the runs.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `ABORTED`; as reading a run.
 */
export async function readExperiment(directory: string, scan: ScanOptions = {}): Promise<ExperimentDocument> {
  const { name, question } = readPlan(directory);
  if (question === null) throw new BhBridgeError("USAGE", `${directory} is a sweep, which has no verdict`);
  const { trials } = await readSweep(directory, noLockHolders);
  const runOf = new Map(trials.flatMap(({ trial, status, run }) => (status === "completed" && run !== null ? [[trial, run] as const] : [])));
  const runs = question.cells.flatMap(({ arm, trial }) => {
    const run = runOf.get(trial);
    return run === undefined ? [] : [{ arm, directory: run }];
  });
  const written = existsSync(join(directory, resultFile))
    ? readRunDocument(directory, resultFile, z.union([experimentDocumentSchema, z.unknown()]))
    : undefined;
  const known = experimentDocumentSchema.safeParse(written).data;
  const isCurrent =
    known && known.directory === directory && isJudgedBy(question.rules, known.verdict) && known.verdict.arms.every(({ answer }) => answer !== undefined);
  if (isCurrent && known.control.length + known.treatment.length === runs.length) return known;
  return await concludeExperiment({ directory, name, runs, looks: earlierLooks(known, question.seeds), ...question }, scan);
}

/** The subject of a report. */
export type ReportSubject =
  | { readonly kind: "runs"; readonly runs: readonly string[] }
  | { readonly kind: "experiment"; readonly directory: string }
  | { readonly kind: "sweep"; readonly directory: string };

/**
 * Find the directory of one experiment or sweep, or one or more runs.
 * @param given paths; names or prefixes of names of runs in `out`.
 * @throws {BhBridgeError} `USAGE` for several experiments or sweeps, or an ambiguous name; `RUN_NOT_FOUND`.
 */
export async function reportSubject(given: readonly string[], out: string): Promise<ReportSubject> {
  const many = given.find((path) => existsSync(join(path, planFileName)));
  if (many === undefined) {
    const runs: string[] = [];
    for (const run of given) runs.push(await directoryOfRun(run, out));
    return { kind: "runs", runs: [...new Set(runs)] };
  }
  if (given.length > 1) throw new BhBridgeError("USAGE", `${many} is an experiment or a sweep: report it alone, or only runs`);
  const directory = resolve(many);
  return { kind: readPlan(directory).question === null ? "sweep" : "experiment", directory };
}

/** A report before it is written; the figures include those that could not be drawn. */
export type Report = { readonly page: Page; readonly figures: readonly FigureOrAbsent[] };

/** Create a report from files. @throws {BhBridgeError} as reading runs; `ABORTED`. */
export async function makeReport(subject: ReportSubject, scan: ScanOptions = {}): Promise<Report> {
  if (subject.kind === "runs") return await reportOfRuns(subject.runs, scan);
  if (subject.kind === "experiment") {
    const document = await readExperiment(subject.directory, scan);
    const figures = (await experimentFigures(document, scan)).map((figure) => ({ figure }));
    const replay = await armsTogether(document, scan);
    return { page: experimentPage(document, figures, replay), figures: [...figures, ...figuresOfPair(replay)] };
  }
  const document = await readSweep(subject.directory, noLockHolders);
  const figures = sweepFigures(document).map((figure) => ({ figure }));
  return { page: sweepPage(document, figures), figures };
}

/** Arms that are watched together. */
const maxArms = 4;

/** The arms of the first seed that has two of them, to be watched together. */
async function armsTogether({ control, treatment }: ExperimentDocument, scan: ScanOptions): Promise<Section[]> {
  const bySeed = [...new Set(control.map(({ seed }) => seed))].map((seed) => [...control, ...treatment].filter((each) => each.seed === seed));
  const chosen = bySeed.find(({ length }) => length > 1) ?? [];
  const runs = chosen.slice(0, maxArms).map(({ arm, seed, run }) => ({ label: `${arm}, seed ${seed}`, run: new RunSource(run, scan) }));
  try {
    return runs.length < 2 ? [] : await pairSection(runs);
  } finally {
    for (const { run } of runs) run[Symbol.dispose]();
  }
}

async function reportOfRuns(directories: readonly string[], scan: ScanOptions): Promise<Report> {
  const runs: RunSource[] = [];
  try {
    for (const directory of directories) runs.push(new RunSource(directory, scan));
    const labels = runLabels(runs);
    const labelled = runs.map((run, index) => ({ label: labels[index] ?? "", run }));
    const figures: FigureOrAbsent[] = [];
    for (const name of runFigureNames) figures.push(...(await figuresOfRuns(name, labelled, true)));
    const [only, ...others] = labelled;
    const page = only && others.length === 0 ? await runPage(only, figures) : await runsPage(labelled, figures);
    return { page, figures: [...figures, ...figuresOfPair(page.sections)] };
  } finally {
    for (const run of runs) run[Symbol.dispose]();
  }
}
