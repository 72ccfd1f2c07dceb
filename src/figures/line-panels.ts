import { stepAxis } from "./axes.js";
import type { Axis, Figure, Mark, Panel, Source } from "./figure.js";
import type { StepSeries } from "./state-series.js";
import { styledSeries } from "./styled-series.js";

/** One panel of lines over the steps: its vertical axis, and which of the quantities it shows. */
export interface LinePanel {
  readonly title: string;
  readonly y: Axis;
  readonly x?: Axis;
  /** What the legend calls each line, and which series it is where that is called otherwise. Lines of one name look alike in all panels. */
  readonly quantities: Readonly<Record<string, string>>;
  readonly curve?: "straight" | "step";
}

/** Series of one run by quantity; what the run does not have is left out. */
export type QuantitySeries = Readonly<Record<string, StepSeries | undefined>>;

/** Lines over the training steps, of several quantities of several runs: panels side by side, every run in the same style in each. */
export function linePanels(
  panels: readonly LinePanel[],
  runs: readonly { readonly label: string; readonly source: Source; readonly data: QuantitySeries }[],
): Pick<Figure, "sources" | "series" | "panels" | "columns"> {
  const shown = panels
    .map((panel) => ({ ...panel, lines: Object.entries(panel.quantities).filter(([, key]) => runs.some(({ data }) => data[key] !== undefined)) }))
    .filter(({ lines }) => lines.length > 0);
  const names = [...new Set(shown.flatMap(({ lines }) => lines.map(([name]) => name)))];
  const series = styledSeries(
    names,
    runs.map(({ label }) => label),
  );
  const marksOf = ({ lines, curve = "straight" }: (typeof shown)[number]): Mark[] =>
    runs.flatMap(({ data }, run) =>
      lines.flatMap(([name, key]) => {
        const found = data[key];
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

/** Lines that are called in the legend as their series are. */
export function namedAlike(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, name]));
}
