import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { stepsOf } from "../formats/history.js";
import type { Axis, Figure, Mark, Panel, Series, Source } from "./figure.js";

/** An axis with a linear scale, as far as its data go. */
export function axis(label: string, unit: string | null = null, over: Partial<Axis> = {}): Axis {
  return { label, unit, scale: "linear", zero: false, domain: null, ticks: null, ...over };
}

/** What the axis of the steps is called. */
export const stepLabel = "training step";

/** The axis that charts of one training share. */
export function stepAxis(over: Partial<Axis> = {}): Axis {
  return axis(stepLabel, null, over);
}

/** An axis of numbers of things, which begins at nothing. */
export function countAxis(label: string): Axis {
  return axis(label, null, { zero: true });
}

/** A series of an index: colour, dashes and marker go together, so that grey print tells it from the others too. */
export function seriesOf(name: string, index: number): Series {
  return { name, palette: "series", color: index, dash: index, marker: index };
}

/**
 * The series of several quantities of several runs, run by run: a run keeps its colour and marker, a quantity its dashes. The names say only what differs.
 * @param quantities names of what is drawn of each run.
 * @param runs names of the runs.
 */
export function styledSeries(quantities: readonly string[], runs: readonly string[]): Series[] {
  if (runs.length <= 1) return quantities.map((quantity, index) => seriesOf(quantities.length > 1 ? quantity : "", index));
  if (quantities.length <= 1) return runs.map(seriesOf);
  return runs.flatMap((run, ofRun) =>
    quantities.map((quantity, ofQuantity) => ({ name: `${quantity}, ${run}`, palette: "series" as const, color: ofRun, dash: ofQuantity, marker: ofRun })),
  );
}

/** A number for each of some training steps; null where it is not finite. */
export interface StepSeries {
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** The training step of every state of an analysed history. */
export function analysedSteps({ states, steps }: AnalysisDocument): readonly number[] {
  return stepsOf({ states, ...(steps && { steps }) });
}

/** A series with an entry a state, by its training steps. */
export function overStates(analysis: AnalysisDocument, values: readonly (number | null)[]): StepSeries {
  return { steps: analysedSteps(analysis), values };
}

/** A series with an entry a step, which begins with the move to state 1. */
export function overMoves(analysis: AnalysisDocument, values: readonly (number | null)[]): StepSeries {
  return { steps: analysedSteps(analysis).slice(1), values };
}

/** One panel of lines over the steps, of what was read of each run. */
export interface LinePanel<Data> {
  readonly title: string;
  readonly y: Axis;
  readonly x?: Axis;
  /** The series of each line, by its name in the legend; undefined where a run does not have it. Lines of one name look alike in all panels. */
  readonly lines: Readonly<Record<string, (data: Data) => StepSeries | undefined>>;
  readonly curve?: "straight" | "step";
}

/** Lines over the training steps, of several quantities of several runs: panels side by side, every run in the same style in each. */
export function linePanels<Data>(
  panels: readonly LinePanel<NoInfer<Data>>[],
  runs: readonly { readonly label: string; readonly source: Source; readonly data: Data }[],
): Pick<Figure, "sources" | "series" | "panels" | "columns"> {
  const shown = panels
    .map((panel) => ({ ...panel, lines: Object.entries(panel.lines).filter(([, of]) => runs.some(({ data }) => of(data) !== undefined)) }))
    .filter(({ lines }) => lines.length > 0);
  const names = [...new Set(shown.flatMap(({ lines }) => lines.map(([name]) => name)))];
  const series = styledSeries(
    names,
    runs.map(({ label }) => label),
  );
  const marksOf = ({ lines, curve = "straight" }: (typeof shown)[number]): Mark[] =>
    runs.flatMap(({ data }, run) =>
      lines.flatMap(([name, of]) => {
        const found = of(data);
        return found ? [{ mark: "line" as const, series: run * names.length + names.indexOf(name), x: found.steps, y: found.values, curve }] : [];
      }),
    );
  return {
    sources: runs.map(({ source }) => source),
    series,
    panels: shown.map((panel): Panel => ({ title: panel.title, x: panel.x ?? stepAxis(), y: panel.y, equal: false, marks: marksOf(panel) })),
    columns: shown.length === 3 ? 3 : Math.min(2, shown.length),
  };
}
