import type { Figure, Mark } from "./figure.js";
import { reduceSeries } from "./reduce-series.js";

/** So many points of a line are drawn at most: more than two for every pixel of its width would not be seen. Where there are many lines, fewer. */
const mostOfLine = 1000;
const mostOfFigure = 12_000;
const fewestOfLine = 160;

/** A figure whose long lines are reduced to what can be seen of them; minima and maxima stay. */
export function reduceFigure(figure: Figure): Figure {
  const lines = figure.panels.flatMap(({ marks }) => marks.filter(({ mark }) => mark === "line" || mark === "band")).length;
  const limit = Math.min(mostOfLine, Math.max(fewestOfLine, Math.floor(mostOfFigure / lines)));
  return { ...figure, panels: figure.panels.map((panel) => ({ ...panel, marks: panel.marks.map((mark) => reduceMark(mark, limit)) })) };
}

function reduceMark(mark: Mark, limit: number): Mark {
  if (mark.mark === "line") return { ...mark, ...reduceSeries(mark, limit) };
  if (mark.mark !== "band" || mark.x.length <= limit) return mark;
  return { ...mark, ...reducedBand(mark, limit) };
}

/** Of each stretch the lowest and the highest edge: the band covers what it covered. */
function reducedBand({ x, low, high }: Mark & { mark: "band" }, limit: number): Pick<Mark & { mark: "band" }, "x" | "low" | "high"> {
  const starts = Array.from({ length: limit }, (_, stretch) => Math.floor((stretch * x.length) / limit));
  const stretches = starts.map((from, index) => ({ from, to: starts[index + 1] ?? x.length }));
  const edge = (values: readonly (number | null)[], pick: (...values: number[]) => number) =>
    stretches.map(({ from, to }) => {
      const known = values.slice(from, to).filter((value) => value !== null);
      return known.length === 0 ? null : pick(...known);
    });
  return { x: starts.map((from) => x[from] ?? 0), low: edge(low, Math.min), high: edge(high, Math.max) };
}
