import type { Mark } from "../../src/figures/figure.js";

/** Marks as far as they lie between two steps; lines go on to their next point on both sides, cut at the edge. */
export function inside(marks: readonly Mark[], [low, high]: readonly [number, number]): Mark[] {
  return marks.map((mark): Mark => {
    if (mark.mark === "line") {
      const kept = keptOf(mark.x, low, high);
      return { ...mark, x: kept.map((at) => clamp(mark.x[at] ?? 0, low, high)), y: kept.map((at) => mark.y[at] ?? null) };
    }
    if (mark.mark === "band") {
      const kept = keptOf(mark.x, low, high);
      return {
        ...mark,
        x: kept.map((at) => clamp(mark.x[at] ?? 0, low, high)),
        low: kept.map((at) => mark.low[at] ?? null),
        high: kept.map((at) => mark.high[at] ?? null),
      };
    }
    if (mark.mark === "cells") {
      const columns = mark.edges.slice(0, -1).flatMap((edge, at) => ((mark.edges[at + 1] ?? edge) > low && edge < high ? [at] : []));
      const [first = 0, last = 0] = [columns[0], columns.at(-1)];
      return {
        ...mark,
        edges: mark.edges.slice(first, last + 2).map((edge) => clamp(edge, low, high)),
        rows: mark.rows.map((row) => row.slice(first, last + 1)),
      };
    }
    if (mark.mark === "spans") {
      const kept = [...mark.row.keys()].filter((at) => (mark.to[at] ?? 0) >= low && (mark.from[at] ?? 0) <= high);
      const of = (values: readonly number[]) => kept.map((at) => values[at] ?? 0);
      return { ...mark, row: of(mark.row), hole: of(mark.hole), from: of(mark.from), to: of(mark.to) };
    }
    return mark;
  });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Indices of points between two values, and of one on either side. */
function keptOf(x: readonly number[], low: number, high: number): number[] {
  return x.flatMap((_, at) =>
    (x[at + 1] ?? Number.NEGATIVE_INFINITY) >= low || (x[at] ?? 0) >= low
      ? (x[at - 1] ?? Number.POSITIVE_INFINITY) <= high || (x[at] ?? 0) <= high
        ? [at]
        : []
      : [],
  );
}
