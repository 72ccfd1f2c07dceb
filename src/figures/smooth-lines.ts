import { stepLabel } from "./axes.js";
import type { Figure, Mark } from "./figure.js";
import { reduceSeries } from "./reduce-series.js";
import { smoothed } from "./smoothed.js";

/** A shorter line shows its course as it is. */
const fewestPoints = 100;
/** A smoothed line looks back over this share of its points, about. */
const reach = 0.01;
const fewestReached = 5;
/** A smoothed line has no spikes to keep. */
const mostDrawn = 300;

/** A line that has been smoothed, as it is drawn. */
export interface SmoothLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** For each panel of a figure and each of its marks: the line smoothed from all its points; null for what has no course over the steps, or a short one. */
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
