import type { Figure } from "../../src/figures/figure.js";
import { stepLabel } from "../../src/figures/panels.js";
import type { Place } from "./place.js";

const mostLines = 14;

/** What a figure says at a place: each line's value there, or the cell. */
export function valuesAt({ series }: Figure, { panel, x, py, top, bottom }: Place): string[] {
  const lines = panel.marks.flatMap((mark): string[] => {
    if (mark.mark === "line" && !mark.thin) {
      const at = nearest(mark.x, x, mark.curve === "step");
      const value = mark.y[at];
      return value === null || value === undefined || at < 0 ? [] : [`${series[mark.series]?.name || panel.y.label}: ${shown(value)}`];
    }
    if (mark.mark === "cells") {
      const row = Math.floor(((py - top) / (bottom - top)) * mark.rows.length);
      const column = mark.edges.findIndex((edge) => edge > x) - 1;
      const level = mark.levels[Number(mark.rows[row]?.[column])];
      return level === undefined ? [] : [`token ${mark.names[row]}: ${series[level]?.name}`];
    }
    if (mark.mark === "bins") {
      const bin = mark.edges.findIndex((edge) => edge > x) - 1;
      return bin < 0 ? [] : [`${series[mark.series]?.name}: ${mark.counts[bin]}`];
    }
    return [];
  });
  if (lines.length === 0) return [];
  const where = panel.x.label === stepLabel ? `step ${Math.round(x).toLocaleString("en")}` : `${panel.x.label} ${shown(x)}`;
  return [where, ...lines.slice(0, mostLines)];
}

function shown(value: number): string {
  const size = Math.abs(value);
  return size === 0 || (size >= 0.001 && size < 1e6) ? Number(value.toPrecision(5)).toLocaleString("en", { maximumFractionDigits: 8 }) : value.toExponential(3);
}

/** Index of the point of an ascending list that is nearest to a value, or of the last one before it; −1 for none. */
function nearest(x: readonly number[], value: number, before: boolean): number {
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((x[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  if (high < 0 || (x[low] ?? 0) > value) return before ? -1 : low;
  const next = x[low + 1];
  return !before && next !== undefined && next - value < value - (x[low] ?? 0) ? low + 1 : low;
}
