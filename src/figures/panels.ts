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

/** The names in legends of what the event log records, by the names of the lines. */
export const trainingLabels = {
  loss: "loss",
  "mean loss": "mean since the previous log",
  "held-out loss": "held-out text",
  "learning rate": "learning rate",
  "gradient norm": "gradient norm",
  rate: "steps per second",
} as const;

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

/** Maximum number of runs that the source of a figure names. */
const mostSources = 6;

/** The runs of a figure with the hashes of their configurations, such as `Data: quick (4e4623d8…)`. */
export function sourcesText({ sources }: Pick<Figure, "sources">): string {
  const shown = sources.slice(0, mostSources).map(({ name, hash }) => `${name} (${hash.slice(0, 12)})`);
  const more = sources.length > shown.length ? ` and ${sources.length - shown.length} more` : "";
  return `Data: ${shown.join(", ")}${more}`;
}

/** Numbers at some training steps, ascending. */
interface Points {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** The values of two lines, and the first minus the second, at the steps where both have a value. */
export function differenceOf(first: Points, second: Points): { x: number[]; first: number[]; second: number[]; difference: number[] } {
  const ofSecond = new Map(second.x.map((step, at) => [step, second.y[at] ?? null]));
  const found = { x: [] as number[], first: [] as number[], second: [] as number[], difference: [] as number[] };
  first.x.forEach((step, at) => {
    const [ours, theirs] = [first.y[at] ?? null, ofSecond.get(step) ?? null];
    if (ours === null || theirs === null) return;
    found.x.push(step);
    found.first.push(ours);
    found.second.push(theirs);
    found.difference.push(ours - theirs);
  });
  return found;
}

/** The name of the figure that `differenceOfP` describes. */
export const differenceName = "difference-of-P";

/** P of a run at its recorded steps. */
export interface PopulationLine extends Points {
  readonly label: string;
}

/** The difference of P of two runs, and P of both, at the steps that both have recorded. */
export function differenceOfP([first, second]: readonly [PopulationLine, PopulationLine]): Pick<Figure, "title" | "caption" | "series" | "panels" | "columns"> {
  const { x, difference, ...both } = differenceOf(first, second);
  const line = (series: number, y: readonly number[]): Mark => ({ mark: "line", series, x, y, curve: "step" });
  const panel = (title: string, label: string, ...marks: Mark[]): Panel => ({
    title,
    x: stepAxis({ scale: "symlog" }),
    y: countAxis(label),
    equal: false,
    marks,
  });
  return {
    title: "Difference of P",
    caption: `P is the number of tokens in black holes. A: ${first.label}. B: ${second.label}. At the steps that both runs have recorded; the step axis is logarithmic in step + 1.`,
    series: [seriesOf("A", 0), seriesOf("B", 1), { ...seriesOf("A − B", 2), dash: 0 }],
    panels: [panel("A − B", "difference of P", line(2, difference)), panel("P", "tokens", line(0, both.first), line(1, both.second))],
    columns: 2,
  };
}
