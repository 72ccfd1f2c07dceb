import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { stepsOf } from "../formats/history.js";
import type { Axis, Figure, Mark, Panel, Series } from "./figure.js";

/** A linear axis that spans its data. */
export function axis(label: string, unit: string | null = null, over: Partial<Axis> = {}): Axis {
  return { label, unit, scale: "linear", zero: false, domain: null, ticks: null, ...over };
}

/** Label of step axes. */
export const stepLabel = "training step";

export function stepAxis(over: Partial<Axis> = {}): Axis {
  return axis(stepLabel, null, over);
}

/** An axis of counts, which starts at 0. */
export function countAxis(label: string): Axis {
  return axis(label, null, { zero: true });
}

/** A series whose colour, dashes and marker all depend on its index, so that it can be identified without colour. */
export function seriesOf(name: string, index: number): Series {
  return { name, palette: "series", color: index, dash: index, marker: index };
}

/**
 * The series of several quantities of several runs, run by run. Colour and marker identify the run, dashes the quantity. Names contain only what differs.
 * @param quantities names of the quantities of each run.
 * @param runs names of the runs.
 */
export function styledSeries(quantities: readonly string[], runs: readonly string[]): Series[] {
  if (runs.length <= 1) return quantities.map((quantity, index) => seriesOf(quantities.length > 1 ? quantity : "", index));
  if (quantities.length <= 1) return runs.map(seriesOf);
  return runs.flatMap((run, ofRun) =>
    quantities.map((quantity, ofQuantity) => ({ name: `${quantity}, ${run}`, palette: "series" as const, color: ofRun, dash: ofQuantity, marker: ofRun })),
  );
}

/** A number for each of some training steps; null if it is not finite. */
export interface StepSeries {
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** Training step of each state of an analysed history. */
export function analysedSteps({ states, steps }: AnalysisDocument): readonly number[] {
  return stepsOf({ states, ...(steps && { steps }) });
}

/** A series with one entry per state. */
export function overStates(analysis: AnalysisDocument, values: readonly (number | null)[]): StepSeries {
  return { steps: analysedSteps(analysis), values };
}

/** A series with one entry per move, from the move to state 1 on. */
export function overMoves(analysis: AnalysisDocument, values: readonly (number | null)[]): StepSeries {
  return { steps: analysedSteps(analysis).slice(1), values };
}

/** A panel of lines over the steps. */
export interface LinePanel<Data> {
  readonly title: string;
  readonly y: Axis;
  readonly x?: Axis;
  /** The series of each line, by its name in the legend; undefined if a run does not have it. Lines with the same name look the same in all panels. */
  readonly lines: Readonly<Record<string, (data: Data) => StepSeries | undefined>>;
  /** Bands with the style of a line, by its name. */
  readonly bands?: Readonly<Record<string, (data: Data) => StepBand | undefined>>;
  readonly curve?: "straight" | "step";
  /** Whether lines of training quantities are smoothed. */
  readonly smooth?: boolean;
}

/** Low and high values for each of some training steps. */
export interface StepBand {
  readonly steps: readonly number[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/** Shorter lines are not smoothed. */
export const fewestSmoothed = 100;

/** How `smooth` lines are drawn, for captions; empty if no line is long enough. @param points numbers of points of the lines. */
export function smoothingText(points: readonly number[]): string {
  if (points.every((count) => count < fewestSmoothed)) return "";
  return " The strong line is the exponential mean of all points over about a hundredth of the line, without the bias of its beginning; the faint line behind it has the values themselves.";
}

/** Values for each of some steps as areas that are stacked in their order. @param first index of the first one's series. */
export function stackedAreas(steps: readonly number[], parts: readonly (readonly number[])[], first = 0): Mark[] {
  let below: readonly number[] = steps.map(() => 0);
  return parts.map((values, part) => {
    const low = below;
    below = low.map((value, at) => value + (values[at] ?? 0));
    return { mark: "band", series: first + part, x: steps, low, high: below, curve: "straight", solid: true };
  });
}

/** Panels of lines over the training steps, for several quantities of several runs. */
export function linePanels<Data>(
  panels: readonly LinePanel<NoInfer<Data>>[],
  runs: readonly { readonly label: string; readonly data: Data }[],
): Pick<Figure, "series" | "panels" | "columns"> {
  const shown = panels
    .map((panel) => ({ ...panel, lines: Object.entries(panel.lines).filter(([, of]) => runs.some(({ data }) => of(data) !== undefined)) }))
    .filter(({ lines }) => lines.length > 0);
  const names = [...new Set(shown.flatMap(({ lines }) => lines.map(([name]) => name)))];
  const series = styledSeries(
    names,
    runs.map(({ label }) => label),
  );
  const marksOf = ({ lines, bands = {}, curve = "straight", smooth }: (typeof shown)[number]): Mark[] =>
    runs.flatMap(({ data }, run) =>
      lines.flatMap(([name, of]): Mark[] => {
        const found = of(data);
        const band = bands[name]?.(data);
        const index = run * names.length + names.indexOf(name);
        return [
          ...(band ? [{ mark: "band" as const, series: index, x: band.steps, low: band.low, high: band.high, curve }] : []),
          ...(found ? [{ mark: "line" as const, series: index, x: found.steps, y: found.values, curve, ...(smooth && { smooth }) }] : []),
        ];
      }),
    );
  return {
    series,
    panels: shown.map((panel): Panel => ({ title: panel.title, x: panel.x ?? stepAxis(), y: panel.y, equal: false, marks: marksOf(panel) })),
    columns: shown.length === 3 ? 3 : Math.min(2, shown.length),
  };
}
