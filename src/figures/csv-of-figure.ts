import { csvField } from "../text/escaping.js";
import type { Figure, Mark } from "./figure.js";

type Row = Readonly<Record<string, string | number | null>>;

const columns = ["panel", "series", "mark", "x", "y", "x2", "y2", "low", "high", "count", "text", "token", "name", "dead", "from", "to", "hole"] as const;

/** The unrounded numbers of a figure as CSV, one row per point, with the columns that some mark has. */
export function csvOfFigure({ panels, series }: Figure): string {
  const rows = panels.flatMap((panel) =>
    panel.marks.flatMap((mark) => {
      const name = "series" in mark ? (series[mark.series]?.name ?? "") : "";
      return rowsOf(mark, (level) => series[level]?.name ?? "").map((row): Row => ({ panel: panel.title, series: name, mark: mark.mark, ...row }));
    }),
  );
  const used = columns.filter((column) => rows.some((row) => row[column] !== undefined && row[column] !== ""));
  return `${[used, ...rows.map((row) => used.map((column) => row[column]))].map((cells) => cells.map(csvField).join(",")).join("\n")}\n`;
}

function rowsOf(mark: Mark, nameOf: (level: number) => string): Row[] {
  switch (mark.mark) {
    case "line":
      return mark.x.map((x, at) => ({ x, y: mark.y[at] ?? null }));
    case "band":
      return mark.x.map((x, at) => ({ x, low: mark.low[at] ?? null, high: mark.high[at] ?? null }));
    case "dots":
      return mark.x.map((x, at) => ({ x, y: mark.y[at] ?? null, text: mark.names?.[at] ?? mark.labels?.[at] ?? "" }));
    case "bars":
      return mark.values.map((end, at) => ({
        ...(mark.from ? { x: mark.from[at] ?? 0, x2: end } : { x: end }),
        y: mark.names[at] ?? "",
        text: mark.notes[at] ?? "",
      }));
    case "pies":
      return mark.x.flatMap((x, at) =>
        mark.slices.map((slice, index) => ({
          series: nameOf(slice),
          x,
          y: mark.y[at] ?? null,
          count: mark.values[at]?.[index] ?? 0,
          text: mark.names?.[at] ?? "",
        })),
      );
    case "bins":
      return mark.counts.map((y, at) => ({ x: mark.edges[at] ?? null, x2: mark.edges[at + 1] ?? null, y }));
    case "links":
      return mark.x1.map((x, at) => ({ x, y: mark.y1[at] ?? null, x2: mark.x2[at] ?? null, y2: mark.y2[at] ?? null }));
    case "rule":
      return [{ [mark.axis]: mark.at, text: mark.text }];
    case "spans":
      return mark.row.map((row, at) => ({
        token: mark.tokens?.[row] ?? "",
        name: mark.names[row] ?? "",
        dead: mark.dead[row] ?? 0,
        from: mark.from[at] ?? null,
        to: mark.to[at] ?? null,
        hole: mark.hole[at] ?? 0,
      }));
    case "cells":
      return mark.rows.flatMap((row, at) =>
        [...row].map((digit, column) => ({
          x: mark.edges[column] ?? null,
          x2: mark.edges[column + 1] ?? null,
          y: mark.names[at] ?? "",
          text: nameOf(mark.levels[Number(digit)] ?? 0),
        })),
      );
  }
}
