import { basename, resolve } from "node:path";
import { type AnalysisName, ownAnalyses, type SeriesFigureName } from "../analysis/analyses.js";
import type { AnalysisDocument } from "../analysis/analysis-document.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import type { AnalysisSeries, SeriesFigure } from "../analysis/series.js";
import { differences } from "../compare/run-facts.js";
import { configIdentity } from "../config/config-hash.js";
import { BhBridgeError } from "../errors.js";
import { runNames } from "../text/names.js";
import type { Figure, Source } from "./figure.js";
import { axis, linePanels, overMoves, overStates, type StepSeries } from "./panels.js";
import { adamwFigure } from "./runs/adamw.js";
import { blackHoles, populations, rankCurve } from "./runs/black-holes.js";
import { cloud } from "./runs/cloud.js";
import { deadMass, untrained } from "./runs/dead-tokens.js";
import { distributions } from "./runs/distributions.js";
import { freezing } from "./runs/freezing.js";
import { phaseDurations, shares } from "./runs/lifecycle.js";
import { displacement, kinematics } from "./runs/motion.js";
import { type Absent, defineRunFigure, isAbsent, leftOut, type RunFigure, RunSource, requestedAnalysis } from "./runs/run-figure.js";
import { sky } from "./runs/sky.js";
import { tokensFigure } from "./runs/tokens.js";
import { neighbours } from "./runs/topology.js";
import { loss, optimizer } from "./runs/training.js";
import { verdictFigure } from "./runs/verdict.js";
import type { PngOptions, SvgOptions } from "./svg-of-figure.js";

/** A figure with the analysis that declares it. */
interface Declared {
  readonly analysis: AnalysisName;
  readonly isOnRequest: boolean;
  readonly series: Readonly<Record<string, AnalysisSeries<unknown>>>;
  readonly figure: SeriesFigure<string, SeriesFigureName>;
}

const declared: readonly Declared[] = ownAnalyses.flatMap(({ name, isOnRequest = false, series = {}, figures = [] }) =>
  figures.map((figure): Declared => ({ analysis: name, isOnRequest, series, figure })),
);

/** The figures of lines that analyses declare, by name. */
export const seriesFigures = Object.fromEntries(declared.map((each) => [each.figure.name, seriesFigure(each)])) as {
  readonly [Name in SeriesFigureName]: RunFigure<Name>;
};

type FigureSeries = Readonly<Record<string, StepSeries | undefined>>;

function seriesFigure({ analysis, isOnRequest, series, figure }: Declared): RunFigure<SeriesFigureName> {
  const { name, title, caption, panels } = figure;
  const read = async (run: RunSource): Promise<FigureSeries | Absent> => {
    const found = isOnRequest ? await requestedAnalysis(run, analysis) : { document: await run.analysis() };
    if (isAbsent(found)) return found;
    const part = found.document[analysis];
    if (part === undefined) return { absent: leftOut(found.document, analysis) };
    return Object.fromEntries(Object.entries(series).map(([key, each]) => [key, stepSeries(found.document, each, part)]));
  };
  return defineRunFigure({
    name,
    overlays: true,
    read,
    describe: (runs) => ({
      title,
      caption,
      ...linePanels(
        panels.map(({ title: of, y: { label, unit, ...over }, lines }) => ({
          title: of,
          y: axis(label, unit, over),
          lines: Object.fromEntries(lines.map((key) => [series[key]?.label ?? key, (data: FigureSeries) => data[key]])),
        })),
        runs,
      ),
    }),
  });
}

function stepSeries(document: AnalysisDocument, { per, of }: AnalysisSeries<unknown>, part: unknown): StepSeries | undefined {
  const values = of?.(part);
  return values && (per === "state" ? overStates : overMoves)(document, values);
}

/** Figures of any data, by their names alone. */
function listed<Name extends string>(...figures: readonly RunFigure<Name>[]): readonly RunFigure<Name>[] {
  return figures;
}

/** In the order of a report. */
const ordered = listed(
  verdictFigure,
  tokensFigure,
  loss,
  seriesFigures.radius,
  displacement,
  blackHoles,
  distributions,
  rankCurve,
  populations,
  optimizer,
  adamwFigure,
  deadMass,
  untrained,
  shares,
  phaseDurations,
  kinematics,
  cloud,
  freezing,
  sky,
  neighbours,
);

/** Name of a figure of runs. */
export type RunFigureName = (typeof ordered)[number]["name"] | SeriesFigureName;

const all: readonly RunFigure<RunFigureName>[] = [...new Set<RunFigure<RunFigureName>>([...ordered, ...Object.values(seriesFigures)])];

/** Names of the figures of runs, in the order of a report. Other figures declared by analyses come last. */
export const runFigureNames: readonly RunFigureName[] = all.map(({ name }) => name);

/** A figure of a report, or why there is none. */
export type FigureOrAbsent = { readonly figure: Figure } | { readonly name: string; readonly run: string; readonly absent: string };

/** A run with a distinct label. */
export interface LabelledRun {
  readonly label: string;
  readonly run: RunSource;
}

/**
 * The figures of a kind: one of all runs if it overlays them, else one per run.
 * @param isByDefault whether to omit figures that show little unless they are asked for by name.
 */
export async function figuresOfRuns(name: RunFigureName, runs: readonly LabelledRun[], isByDefault = false): Promise<FigureOrAbsent[]> {
  const kind = all.find((each) => each.name === name);
  if (!kind) throw new BhBridgeError("USAGE", `unknown figure "${name}". Use ${runFigureNames.join(", ")}`);
  const shown: { label: string; source: Source; data: unknown }[] = [];
  const missing: FigureOrAbsent[] = [];
  for (const { label, run } of runs) {
    const data: unknown | Absent = await kind.read(run);
    const omitted = isByDefault && !isAbsent(data) ? (kind.omits?.(data) ?? null) : null;
    if (isAbsent(data)) missing.push({ name, run: label, absent: data.absent });
    else if (omitted !== null) missing.push({ name, run: label, absent: omitted });
    else shown.push({ label, source: { name: run.manifest.name, hash: run.manifest.config_hash }, data });
  }
  const groups = kind.overlays ? (shown.length > 0 ? [shown] : []) : shown.map((one) => [one]);
  const titled = (figure: Figure, [only, ...others]: typeof shown): Figure =>
    runs.length === 1 || others.length > 0 || !only ? figure : { ...figure, title: `${figure.title}: ${only.label}` };
  return [...groups.map((group) => ({ figure: titled(kind.describe(group), group) })), ...missing];
}

/** Names of runs in legends, with the fields in which their configurations differ. */
export function runLabels(runs: readonly Pick<RunSource, "config" | "manifest" | "directory">[]): string[] {
  const differing = differences(runs.map(({ config }) => configIdentity(config)));
  return runNames(
    runs.map(({ manifest, directory }, run) => ({
      name: manifest.name,
      differs: Object.fromEntries(differing.map(({ path, values }) => [path, values[run]])),
      directory: basename(directory),
    })),
  );
}

/**
 * One figure of a run, as plain data: from its files alone.
 * @param run its directory, or a run that has been opened.
 * @throws {BhBridgeError} `USAGE` for a figure that there is not, or that the run has nothing for; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `ABORTED`.
 */
export async function figure(run: string | { readonly directory: string }, name: RunFigureName, options: ScanOptions = {}): Promise<Figure> {
  const directory = resolve(typeof run === "string" ? run : run.directory);
  using source = new RunSource(directory, options);
  const [made] = await figuresOfRuns(name, [{ label: source.manifest.name, run: source }]);
  if (made && "figure" in made) return made.figure;
  throw new BhBridgeError("USAGE", `${directory} has nothing for the figure "${name}": ${made?.absent ?? "nothing was recorded"}`);
}

// Drawing code is loaded on demand: most programs draw nothing.

/** A figure as the text of a self-contained SVG file. */
export async function svgOfFigure(figure: Figure, options?: SvgOptions): Promise<string> {
  return (await import("./svg-of-figure.js")).svgOfFigure(figure, options);
}

/** A figure as a PNG file; its font comes with this package. */
export async function pngOfFigure(figure: Figure, options?: PngOptions): Promise<Uint8Array> {
  return (await import("./svg-of-figure.js")).pngOfFigure(figure, options);
}

/** The unrounded numbers of a figure as CSV, one row per point. */
export async function csvOfFigure(figure: Figure): Promise<string> {
  return (await import("./csv-of-figure.js")).csvOfFigure(figure);
}
