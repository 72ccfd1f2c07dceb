import type { Figure, Panel } from "../../src/figures/figure.js";
import { stepLabel } from "../../src/figures/panels.js";
import { quotedToken } from "../../src/text/names.js";
import { lastUpTo } from "../shared/read-out.js";
import type { Place } from "./place.js";

const mostLines = 14;

/** The values of a figure at a place. */
export interface ReadOut {
  /** The position of the values: that of the nearest recorded point. */
  readonly x: number;
  /** Position and values, one per line; empty if the panel has none there. */
  readonly lines: readonly string[];
}

/** Positions and values, where a panel has them. */
interface Line {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly curve: "straight" | "step";
}

/** The lines of a panel, and the heights of its stacked areas. */
function linesOf({ series }: Pick<Figure, "series">, { marks, y }: Panel): Line[] {
  return marks.flatMap((mark): Line[] => {
    if (mark.mark === "line" && !mark.thin) return [{ ...mark, name: series[mark.series]?.name || y.label }];
    if (mark.mark !== "band" || !mark.solid) return [];
    const heights = mark.high.map((high, at) => (high === null ? null : high - (mark.low[at] ?? 0)));
    return [{ name: series[mark.series]?.name || y.label, x: mark.x, y: heights, curve: mark.curve }];
  });
}

/**
 * What a figure says at a place: the cell there, or the value of each line at the recorded point nearest to it. A line without that point shows its own nearest
 * one, with its position, so that no value is attributed to a step at which it was not recorded.
 */
export function valuesAt({ series }: Figure, place: Place): ReadOut {
  const { panel, py, top, bottom } = place;
  const lines = linesOf({ series }, panel);
  const x = recordedNear(panel, lines, place.x);
  const ranges: string[] = [];
  const cells = panel.marks.flatMap((mark): string[] => {
    if (mark.mark === "cells") {
      const row = Math.floor(((py - top) / (bottom - top)) * mark.rows.length);
      const column = mark.edges.findIndex((edge) => edge > place.x) - 1;
      const level = mark.levels[Number(mark.rows[row]?.[column])];
      if (level === undefined) return [];
      ranges.push(rangeOf(panel, mark.edges, column));
      return [`token ${quotedToken(mark.names[row] ?? "")}: ${series[level]?.name}`];
    }
    if (mark.mark === "spans") {
      const row = Math.floor(((py - top) / (bottom - top)) * mark.names.length);
      const at = mark.row.findLastIndex((each, span) => each === row && (mark.from[span] ?? 0) <= place.x);
      if (at < 0) return [];
      ranges.push(`steps ${(mark.from[at] ?? 0).toLocaleString("en")} to ${(mark.to[at] ?? 0).toLocaleString("en")}`);
      const hole = mark.hole[at] ?? 0;
      return [`${mark.names[row]}${mark.dead[row] === 1 ? ", dead" : ""}: ${hole === 0 ? "alone" : `black hole ${hole}`}`];
    }
    if (mark.mark === "bins") {
      const bin = mark.edges.findIndex((edge) => edge > place.x) - 1;
      if (bin < 0) return [];
      ranges.push(rangeOf(panel, mark.edges, bin));
      return [`${series[mark.series]?.name}: ${mark.counts[bin]}`];
    }
    return [];
  });
  const values = [...lines.flatMap((line) => lineAt(line, x, panel.x.label === stepLabel)), ...cells];
  if (values.length === 0) return { x, lines: [] };
  return { x, lines: [ranges[0] ?? positionName(panel, x), ...values.slice(0, mostLines)] };
}

function positionName({ x: { label } }: Panel, x: number): string {
  return label === stepLabel ? `step ${x.toLocaleString("en")}` : `${label} ${shown(x)}`;
}

/** The first and the last step of a column, or the ends of a bin. */
function rangeOf({ x: { label } }: Panel, edges: readonly number[], at: number): string {
  const [from = 0, to = 0] = [edges[at], edges[at + 1]];
  return label === stepLabel ? `steps ${from.toLocaleString("en")} to ${to.toLocaleString("en")}` : `${label} ${shown(from)} to ${shown(to)}`;
}

/** The position of the nearest point of all lines of a panel; the position itself where no point is recorded. */
function recordedNear(panel: Panel, lines: readonly Line[], x: number): number {
  // A cumulative share has a value everywhere, not only where it rises.
  if (panel.x.label !== stepLabel && lines.every(({ curve }) => curve === "step")) return x;
  const near = lines.flatMap((line) => line.x[nearest(line.x, x)] ?? []);
  const [first = panel.x.label === stepLabel ? Math.round(x) : x] = near.toSorted((a, b) => Math.abs(a - x) - Math.abs(b - x));
  return first;
}

function lineAt({ name, x: points, y, curve }: Line, x: number, isOverSteps: boolean): string[] {
  const before = lastUpTo(points, x);
  const at = curve === "step" ? before : nearest(points, x);
  const value = y[at];
  if (value === null || value === undefined) return [];
  const own = points[at] ?? x;
  const where = own === x || (curve === "step" && !isOverSteps) ? "" : ` (${isOverSteps ? `step ${own.toLocaleString("en")}` : `at ${shown(own)}`})`;
  return [`${name}: ${shown(value)}${where}`];
}

/** Reports embed six digits of each number. */
const digits = 6;

function shown(value: number): string {
  const size = Math.abs(value);
  return size === 0 || (size >= 0.001 && size < 1e6)
    ? Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 9 })
    : value.toExponential(digits - 1);
}

/** Index of the nearest value of an ascending list; −1 for an empty one. */
function nearest(x: readonly number[], value: number): number {
  const before = lastUpTo(x, value);
  const [low, high] = [x[before], x[before + 1]];
  if (low === undefined) return x.length === 0 ? -1 : 0;
  return high !== undefined && high - value < value - low ? before + 1 : before;
}
