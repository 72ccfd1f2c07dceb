import type { Figure, Mark } from "./figure.js";
import { stepLabel } from "./panels.js";

/** The exponential mean of a line, corrected for its initial bias (Kingma & Ba 2015, section 3). Gaps stay gaps. */
export function smoothed(y: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let norm = 0;
  return y.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return mean / norm;
  });
}

/**
 * A line with fewer points that looks the same: of each stretch its first, lowest, highest and last point stay, so that no spike is lost.
 * @param limit points at most, about; a shorter line is as it was.
 */
export function reduceSeries({ x, y }: SmoothLine, limit: number): { x: number[]; y: (number | null)[] } {
  if (x.length <= limit) return { x: [...x], y: [...y] };
  const stretches = Math.max(1, Math.floor(limit / 4));
  const kept: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * x.length) / stretches);
    const to = Math.floor(((stretch + 1) * x.length) / stretches);
    kept.push(...tellingPoints(y, from, to));
  }
  return { x: kept.map((index) => x[index] ?? 0), y: kept.map((index) => y[index] ?? null) };
}

/** Ascending, each once. */
function tellingPoints(y: readonly (number | null)[], from: number, to: number): number[] {
  let lowest = from;
  let highest = from;
  let gap: number | undefined;
  for (let index = from; index < to; index++) {
    const value = y[index];
    if (value === null || value === undefined) gap ??= index;
    else {
      if (value < (y[lowest] ?? Number.POSITIVE_INFINITY)) lowest = index;
      if (value > (y[highest] ?? Number.NEGATIVE_INFINITY)) highest = index;
    }
  }
  return [...new Set([from, lowest, highest, to - 1, ...(gap === undefined ? [] : [gap])])].sort((a, b) => a - b);
}

/** Maximum number of points per line, of which more would not be visible, and per figure. */
const mostOfLine = 1000;
const mostOfFigure = 12_000;
const fewestOfLine = 160;

/** A figure with long lines reduced to their visible points, including minima and maxima. */
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

/** The lowest and highest edge of each stretch, so that the band covers the same area. */
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

/** Shorter lines are not smoothed. */
const fewestPoints = 100;
/** Approximate share of a line's points over which it is smoothed. */
const reach = 0.01;
const fewestReached = 5;
/** Maximum number of points of a smoothed line, which has no spikes. */
const mostDrawn = 300;

/** The points of a line; null is a gap. */
export interface SmoothLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** The smoothed line of each mark of each panel; null for marks that are not lines over the steps, and for short lines. */
export function smoothLines({ panels }: Pick<Figure, "panels">): (SmoothLine | null)[][] {
  return panels.map(({ x, marks }) => marks.map((mark) => (x.label === stepLabel && isSmoothable(mark) ? smoothLine(mark) : null)));
}

function isSmoothable(mark: Mark): mark is Mark & { mark: "line" } {
  return mark.mark === "line" && mark.curve === "straight" && !mark.thin && mark.x.length >= fewestPoints;
}

function smoothLine({ x, y }: SmoothLine): SmoothLine {
  const reached = Math.max(fewestReached, reach * x.length);
  return reduceSeries({ x, y: smoothed(y, 1 - 1 / reached) }, mostDrawn);
}
