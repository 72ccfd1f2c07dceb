import { type AnalysisName, ownAnalyses, type SeriesFigureName } from "../../analysis/analyses.js";
import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import type { AnalysisSeries, SeriesFigure } from "../../analysis/series.js";
import { axis, linePanels, overMoves, overStates, type StepSeries } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, leftOut, type RunFigure, type RunSource, requestedAnalysis } from "./run-figure.js";

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

/** The series of a figure, by name. */
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
          lines: Object.fromEntries(Object.entries(lines).map(([legend, key]) => [legend, (data: FigureSeries) => data[key]])),
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
