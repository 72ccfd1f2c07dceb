import * as Plot from "@observablehq/plot";
import type { Mark, Panel, Series } from "../figure.js";
import { extentOf, levelOfHole } from "./extent.js";
import { colourClass } from "./legend.js";
import { dashOf, symbolOf } from "./markers.js";
import { type SvgDocument, type SvgElement, shortened, svgElement, textLines, textWidth } from "./svg.js";

interface Drawing {
  readonly document: SvgDocument;
  readonly panel: Panel;
  readonly series: readonly Series[];
  /** Whether lines need markers. */
  readonly marked: boolean;
  /** Of the frame, in pixels. */
  readonly width: number;
  readonly height: number;
}

const markersOnLine = 7;

const plain: Series = { name: "", palette: "series", color: 0, dash: 0, marker: 0 };

/** The marks of a panel for Plot. Their classes determine the colours, which come from a style sheet. */
export function plotMarks(mark: Mark, drawing: Drawing): Plot.Markish[] {
  return (drawers[mark.mark] as (mark: Mark, drawing: Drawing) => Plot.Markish[])(mark, drawing);
}

/** Values that a logarithmic axis cannot show become gaps. */
function placeable({ y: { scale } }: Panel): (value: number | null) => number | null {
  return (value) => (value !== null && (scale !== "log" || value > 0) ? value : null);
}

const drawers: { readonly [Kind in Mark["mark"]]: (mark: Mark & { mark: Kind }, drawing: Drawing) => Plot.Markish[] } = {
  line({ series: index, x, y, curve, thin = false }, { panel, series, marked, width }) {
    const style = series[index] ?? plain;
    const isFaint = thin || (curve === "straight" && turns(y, panel) > width);
    const points = { x: [...x], y: y.map(placeable(panel)) };
    const line = Plot.line(x, {
      ...points,
      className: colourClass(style),
      stroke: "currentColor",
      strokeWidth: isFaint ? 0.8 : 1.8,
      ...(isFaint && { strokeOpacity: thin ? 0.45 : 0.7 }),
      strokeDasharray: dashOf(style.dash),
      curve: curve === "step" ? "step-after" : "linear",
    });
    if (!marked || thin || !isAscending(x)) return [line];
    const places = markerPlaces(x, panel.x.scale, index);
    const markers = Plot.dot(x, {
      ...points,
      filter: (_: unknown, at: number) => places.has(at),
      className: fillClass(style),
      symbol: symbolOf(style.marker),
      fill: "currentColor",
      stroke: "none",
      r: 3.4,
    });
    return [line, markers];
  },
  band({ series: index, x, low, high, curve, solid = false }, { panel, series }) {
    const style = series[index] ?? plain;
    return [
      Plot.areaY(x, {
        x: [...x],
        y1: low.map((value) => (solid || value === null || panel.y.scale !== "log" || value > 0 ? value : extentOf(panel, "y")[0])),
        y2: high.map(placeable(panel)),
        className: fillClass(style),
        fill: "currentColor",
        fillOpacity: solid ? 0.85 : 0.18,
        curve: curve === "step" ? "step-after" : "linear",
      }),
    ];
  },
  dots({ series: index, x, y, radius, names }, { series }) {
    const style = series[index] ?? plain;
    const dots = {
      x: [...x],
      y: [...y],
      className: fillClass(style),
      symbol: symbolOf(style.marker),
      r: radius ? { value: [...radius], scale: null } : 3,
      fill: "currentColor",
      fillOpacity: 0.75,
      stroke: "none",
      ...(names && { title: [...names] }),
    } as const;
    return [Plot.dot(x, dots)];
  },
  bars({ series: index, names, values, from, notes }, { panel, series, width }) {
    const style = series[index] ?? plain;
    if (from) return stackedBars(style, { names, values, from, notes }, panel, width);
    const bars = Plot.barX(values, { x: [...values], y: [...names], className: fillClass(style), fill: "currentColor", fillOpacity: 0.8 });
    const lines = notesOf({ values, notes }, panel, width);
    const text = Plot.text(values, {
      x: [...values],
      y: [...names],
      text: lines.map((each) => each.join("\n")),
      textAnchor: "start",
      lineHeight: 1.2,
      dx: noteDistance,
      fill: "currentColor",
    });
    return [bars, text];
  },
  pies({ x, y, radius, slices, values, names }, { document, series }) {
    const draw = (_index: unknown, scales: { x?: Place; y?: Place }) => {
      const { x: across, y: down } = scales;
      if (!across || !down) return null;
      const pies = x.map((place, pie) => {
        const shapes = sliceOutlines(values[pie] ?? [], radius[pie] ?? 0).flatMap((outline, slice) =>
          outline === "" ? [] : [svgElement(document, "path", { d: outline, class: fillClass(series[slices[slice] ?? 0] ?? plain), fill: "currentColor" })],
        );
        const name = names?.[pie];
        const at = `translate(${pixel(across(place))},${pixel(down(y[pie] ?? 0))})`;
        return svgElement(document, "g", { transform: at, "fill-opacity": 0.85 }, [...shapes, ...(name ? [svgElement(document, "title", {}, name)] : [])]);
      });
      return svgElement(document, "g", {}, pies);
    };
    return [draw as unknown as Plot.Markish];
  },
  bins({ series: index, edges, counts }, { series }) {
    const style = series[index] ?? plain;
    const y = [...counts, counts.at(-1) ?? 0];
    const sides = edgesOf(edges, counts);
    return [
      Plot.areaY(edges, { x: [...edges], y, curve: "step-after", className: fillClass(style), fill: "currentColor", fillOpacity: 0.14 }),
      Plot.line(sides.x, {
        x: sides.x,
        y: sides.y,
        className: colourClass(style),
        stroke: "currentColor",
        strokeWidth: 1.7,
        strokeDasharray: dashOf(style.dash),
      }),
    ];
  },
  cells({ edges, rows, levels }, { document, series }) {
    return levels.map((level, index) => (_index: unknown, scales: { x?: Place; y?: Place }) => {
      const { x, y } = scales;
      if (!x || !y) return null;
      return levelPath(document, cellRuns(rows, String(index), edges, x, y), colourClass(series[level] ?? plain), Math.abs(y(1) - y(0)));
    }) as Plot.Markish[];
  },
  spans(mark, { document, series, width }) {
    const { names, dead, levels, gutter } = mark;
    const draw = (_index: unknown, scales: { x?: Place; y?: Place }, _values: unknown, { marginLeft }: { marginLeft: number }) => {
      const { x: across, y } = scales;
      if (!across || !y) return svgElement(document, "g", {});
      const x = (step: number) => Math.min(marginLeft + width, Math.max(marginLeft, across(step)));
      const height = Math.abs(y(1) - y(0));
      const marks = names.flatMap((_name, row) => ((dead[row] ?? 0) >= 0.5 ? [`M${marginLeft - gutterWidth - 4} ${tenth(y(row + 0.5))}h${gutterWidth}`] : []));
      const paths = levels.flatMap((level, index) => {
        const path = spanRuns(mark, index, x, y);
        return path === "" ? [] : [levelPath(document, path, colourClass(series[level] ?? plain), height)];
      });
      return svgElement(document, "g", {}, [...paths, levelPath(document, marks.join(""), colourClass(series[gutter] ?? plain), height)]);
    };
    return [draw as unknown as Plot.Markish];
  },
  links({ series: index, x1, y1, x2, y2 }, { series }) {
    const style = series[index] ?? plain;
    const ends = { x1: [...x1], y1: [...y1], x2: [...x2], y2: [...y2] };
    return [Plot.link(x1, { ...ends, className: colourClass(style), stroke: "currentColor", strokeOpacity: 0.45, strokeWidth: 1 })];
  },
  rule({ axis, at }) {
    const rule = { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "3,3" };
    return [axis === "y" ? Plot.ruleY([at], rule) : Plot.ruleX([at], rule)];
  },
};

/** Smallest visible rise, as a share of the line's range. */
const leastRise = 0.01;

/** Number of visible turns of a line. A line that turns in every pixel is drawn faint, so that it does not hide others. */
function turns(y: readonly (number | null)[], { y: { scale } }: Panel): number {
  const placed = y.flatMap((value) => (value === null || (scale === "log" && value <= 0) ? [] : [scale === "log" ? Math.log(value) : value]));
  const span =
    placed.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY) -
    placed.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const rises = placed.map((value, at) => value - (placed[at - 1] ?? value)).filter((rise) => Math.abs(rise) > leastRise * span);
  return rises.filter((rise, at) => rise * (rises[at - 1] ?? 0) < 0).length;
}

/** Whether x never decreases: paths of points may turn back. */
function isAscending(x: readonly number[]): boolean {
  return x.every((value, at) => at === 0 || value >= (x[at - 1] ?? value));
}

/** Bars that begin where others end, with their notes inside where there is room. */
function stackedBars(
  style: Series,
  { names, values, from, notes }: { names: readonly string[]; values: readonly number[]; from: readonly number[]; notes: readonly string[] },
  panel: Panel,
  width: number,
): Plot.Markish[] {
  const [start, end] = extentOf(panel, "x");
  const ends = { x1: [...from], x2: [...values], y: [...names] };
  const rooms = values.map((value, bar) => (width * (value - (from[bar] ?? 0))) / (end - start) - noteDistance);
  const inside = notes.map((note, bar) => (textWidth(note, noteSize) <= (rooms[bar] ?? 0) ? note : ""));
  return [
    Plot.barX(values, { ...ends, className: fillClass(style), fill: "currentColor", fillOpacity: 0.85, insetLeft: 0.5, insetRight: 0.5 }),
    Plot.text(values, { x: values.map((value, bar) => ((from[bar] ?? 0) + value) / 2), y: [...names], text: inside, className: "halo", fill: "currentColor" }),
  ];
}

function pixel(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Outlines of the slices of a pie around the origin, clockwise from the top; an empty one for a slice without a size. */
export function sliceOutlines(sizes: readonly number[], radius: number): string[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const point = (share: number) => `${pixel(radius * Math.sin(2 * Math.PI * share))},${pixel(-radius * Math.cos(2 * Math.PI * share))}`;
  let before = 0;
  return sizes.map((size) => {
    const [from, to] = [before / total, (before + size) / total];
    before += size;
    if (!(size > 0)) return "";
    if (size === total) return `M0,${-radius}A${radius},${radius} 0 1 1 0,${radius}A${radius},${radius} 0 1 1 0,${-radius}Z`;
    return `M0,0L${point(from)}A${radius},${radius} 0 ${to - from > 0.5 ? 1 : 0} 1 ${point(to)}Z`;
  });
}

/** Distance of a note from its bar, and lines of a note at most. */
const noteDistance = 6;
const mostNoteLines = 3;
/** More bars have notes of one line, so that they stay near each other. */
const fewBars = 4;
const noteSize = 11;

/** The notes of bars in lines that end inside the panel; what has no room is cut at a word. */
function notesOf({ values, notes }: { values: readonly number[]; notes: readonly string[] }, panel: Panel, width: number): string[][] {
  const [, end] = extentOf(panel, "x");
  const most = notes.length > fewBars ? 1 : mostNoteLines;
  return notes.map((note, bar) => {
    const room = width * (1 - (values[bar] ?? 0) / end) - noteDistance;
    const lines = textLines(note, room, noteSize);
    if (lines.length <= most) return lines;
    return [...lines.slice(0, most - 1), shortened(lines.slice(most - 1).join(" "), room, noteSize)];
  });
}

/** Lines of the longest note of a panel's bars. */
export function noteLines(panel: Panel, width: number): number {
  return panel.marks.reduce(
    (most, mark) => (mark.mark === "bars" && !mark.from ? Math.max(most, ...notesOf(mark, panel, width).map(({ length }) => length)) : most),
    1,
  );
}

type Place = (value: number) => number;

function fillClass(style: Series): string {
  return `${colourClass(style)}-fill`;
}

/** Points of a line with a marker: evenly spread over its width, at other positions than those of other lines. */
function markerPlaces(x: readonly number[], scale: Panel["x"]["scale"], line: number): ReadonlySet<number> {
  const placed = scale === "symlog" ? x.map((value) => Math.log1p(value)) : scale === "log" ? x.map((value) => Math.log(value)) : x;
  const [first = 0, last = 0] = [placed[0], placed.at(-1)];
  const wanted = Array.from({ length: markersOnLine }, (_, marker) => first + ((last - first) * (marker + 0.2 + 0.6 * ((line * 0.382) % 1))) / markersOnLine);
  return new Set(wanted.map((place) => placed.findIndex((value) => value >= place)));
}

/** The outline of a histogram. */
function edgesOf(edges: readonly number[], counts: readonly number[]): { x: number[]; y: number[] } {
  const x = edges.flatMap((edge) => [edge, edge]);
  const y = [0, ...counts.flatMap((count) => [count, count]), 0];
  return { x, y };
}

/** Runs of cells of one level, as horizontal strokes of one path. */
function cellRuns(rows: readonly string[], digit: string, edges: readonly number[], x: Place, y: Place): string {
  const path: string[] = [];
  for (const [row, cells] of rows.entries()) {
    const middle = tenth(y(row + 0.5));
    for (const { index, 0: run } of cells.matchAll(new RegExp(`${digit}+`, "g"))) {
      path.push(`M${tenth(x(edges[index] ?? 0))} ${middle}H${tenth(x(edges[index + run.length] ?? 0))}`);
    }
  }
  return path.join("");
}

/** The spans of one level, as horizontal strokes of one path; each ends where the next one of its row starts. */
function spanRuns({ row, from, to, hole, levels }: Mark & { mark: "spans" }, level: number, x: Place, y: Place): string {
  const path: string[] = [];
  for (const [at, number] of hole.entries()) {
    if (levelOfHole(number, levels.length) !== level) continue;
    const end = row[at + 1] === row[at] ? from[at + 1] : to[at];
    const left = x(from[at] ?? 0);
    path.push(`M${tenth(left)} ${tenth(y((row[at] ?? 0) + 0.5))}H${tenth(Math.max(x(end ?? 0), left + 1))}`);
  }
  return path.join("");
}

/** Width of the gutter that marks dead tokens. */
const gutterWidth = 7;

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function levelPath(document: SvgDocument, path: string, className: string, height: number): SvgElement {
  return svgElement(document, "path", {
    class: className,
    d: path,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": height,
    "shape-rendering": "crispEdges",
  });
}
