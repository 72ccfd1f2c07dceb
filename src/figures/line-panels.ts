import { stepAxis } from "./axes.js";
import type { Axis, Figure, Mark, Panel, Source } from "./figure.js";
import type { StepSeries } from "./state-series.js";
import { styledSeries } from "./styled-series.js";

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
