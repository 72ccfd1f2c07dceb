import * as Plot from "@observablehq/plot";
import type { Axis, Figure, Mark, Panel } from "../figure.js";
import { noteLines, plotMarks } from "./draw-marks.js";
import { axisTicks, extentOf, shareOf } from "./extent.js";
import { type SvgDocument, type SvgElement, shortened, svgElement, textLines, textWidth } from "./svg.js";

/** A rectangle in pixels. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Whether two rectangles overlap. */
export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Height of a line of labels. */
const labelLineHeight = 13;
const size = 11;

type Place = (value: number) => number;

/** The frame of a panel with its scales. */
interface Frame extends Box {
  readonly x: Place;
  readonly y: Place;
}

/**
 * The labels of a panel inside its frame: texts of rules, one above the other where they would overlap, and labels beside dots. Labels that would overlap
 * another dot or its label are omitted.
 */
function plotLabels(document: SvgDocument, { marks }: Panel, { width, height }: { width: number; height: number }): Plot.Markish {
  const draw = (_index: unknown, scales: { x?: Place; y?: Place }, _values: unknown, { marginLeft, marginTop }: { marginLeft: number; marginTop: number }) => {
    const { x, y } = scales;
    if (!x || !y) return svgElement(document, "g", {});
    const frame = { x, y, left: marginLeft, right: marginLeft + width, top: marginTop, bottom: marginTop + height };
    const taken: Box[] = [];
    return svgElement(document, "g", {}, [...ruleTexts(document, marks, frame, taken), ...dotLabels(document, marks, frame, taken)]);
  };
  return draw as unknown as Plot.Markish;
}

/** A text in a box that is not taken yet. */
function textIn(document: SvgDocument, box: Box, anchor: "start" | "end", text: string): SvgElement {
  const at = { x: Math.round(anchor === "end" ? box.right : box.left), y: Math.round(box.bottom - 3), "text-anchor": anchor };
  return svgElement(document, "text", { ...at, class: "halo", "font-size": size, fill: "currentColor" }, text);
}

/** Distance of a text from its rule or dot. */
const away = 4;

/** Texts of rules: of a horizontal rule at its right end, or at its left end where only the right one has lines or dots. */
function ruleTexts(document: SvgDocument, marks: readonly Mark[], frame: Frame, taken: Box[]): SvgElement[] {
  const rules = marks.filter((mark) => mark.mark === "rule").filter(({ text }) => text !== "");
  return rules.flatMap(({ axis, at, text }): SvgElement[] => {
    const place = axis === "x" ? frame.x(at) : frame.y(at);
    if (!Number.isFinite(place)) return [];
    const first = axis === "x" ? frame.top + 2 : place - labelLineHeight - 1 < frame.top ? place + 1 : place - labelLineHeight - 1;
    const sideOf = (isEnd: boolean) => {
      const edge = axis === "y" ? (isEnd ? frame.right : frame.left + away) : place + (isEnd ? -away : away);
      const shown = shortened(text, isEnd ? edge - frame.left : frame.right - edge, size);
      const length = textWidth(shown, size);
      const boxAt = (top: number) => ({ left: isEnd ? edge - length : edge, right: isEnd ? edge : edge + length, top, bottom: top + labelLineHeight });
      return { isEnd, shown, boxAt };
    };
    const sides = axis === "y" ? [sideOf(true), sideOf(false)] : [sideOf(place > (frame.left + frame.right) / 2)];
    const { isEnd, shown, boxAt } = sides.find((side) => !isDrawnIn(side.boxAt(first), marks, frame)) ?? (sides[0] as (typeof sides)[number]);
    for (let top = first; top + labelLineHeight <= frame.bottom + 1; top += labelLineHeight) {
      const box = boxAt(top);
      if (taken.some((other) => overlap(other, box))) continue;
      taken.push(box);
      return [textIn(document, box, isEnd ? "end" : "start", shown)];
    }
    return [];
  });
}

/** Whether a line or a dot is drawn in a box. */
function isDrawnIn(box: Box, marks: readonly Mark[], { x: across, y: down }: Frame): boolean {
  return marks.some((mark) => {
    if (mark.mark !== "dots" && mark.mark !== "line") return false;
    const points = mark.x.map((x, at) => ({ x: across(x), y: down(mark.y[at] ?? Number.NaN) }));
    if (mark.mark === "line") return points.some((point, at) => crosses(box, point, points[at + 1] ?? point));
    return points.some(({ x, y }, dot) => {
      const radius = mark.radius?.[dot] ?? 3;
      return overlap(box, { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
    });
  });
}

/** Whether a straight line from one point to another has a part in a box. */
function crosses({ left, right, top, bottom }: Box, from: { x: number; y: number }, to: { x: number; y: number }): boolean {
  const shareWithin = (start: number, end: number, low: number, high: number) => {
    if (start === end) return low <= start && start <= high ? [0, 1] : [1, 0];
    const shares = [(low - start) / (end - start), (high - start) / (end - start)];
    return [Math.min(...shares), Math.max(...shares)];
  };
  const [x0 = 1, x1 = 0] = shareWithin(from.x, to.x, left, right);
  const [y0 = 1, y1 = 0] = shareWithin(from.y, to.y, top, bottom);
  return Math.max(0, x0, y0) <= Math.min(1, x1, y1);
}

/** Of more dots, only large ones keep labels away: small ones are everywhere. */
const mostObstacles = 300;
/** Widths of a label that is worth reading. */
const shortest = 60;

function dotLabels(document: SvgDocument, marks: readonly Mark[], frame: Frame, taken: Box[]): SvgElement[] {
  const dots = marks
    .flatMap((mark) =>
      mark.mark === "dots" || mark.mark === "pies"
        ? mark.x.map((x, dot) => ({ x: frame.x(x), y: frame.y(mark.y[dot] ?? 0), radius: mark.radius?.[dot] ?? 3, label: mark.labels?.[dot] ?? "" }))
        : [],
    )
    .sort((a, b) => b.radius - a.radius);
  const boxOf = ({ x, y, radius }: (typeof dots)[number]) => ({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
  const isOnEdge = marks.some((mark) => mark.mark === "band" && mark.solid === true); // of an area, which a label beside the dot would cover
  const small = dots.length > mostObstacles ? [] : dots.map((dot) => ({ dot, box: boxOf(dot) }));
  return dots.flatMap((dot) => {
    if (dot.label === "") return [];
    const { x, y, radius } = dot;
    const wanted = isOnEdge ? y - labelLineHeight - 2 : y - labelLineHeight / 2;
    const top = Math.min(Math.max(wanted, frame.top), frame.bottom - labelLineHeight);
    const sides = [
      { anchor: "start" as const, room: frame.right - x - radius - away },
      { anchor: "end" as const, room: x - radius - away - frame.left },
    ];
    const needed = textWidth(dot.label, size);
    if (needed > (sides[0]?.room ?? 0)) sides.sort((a, b) => b.room - a.room);
    for (const { anchor, room } of sides) {
      const label = shortened(dot.label, room, size);
      const length = textWidth(label, size);
      if (length > room || (label !== dot.label && room < shortest)) continue;
      const left = anchor === "end" ? x - radius - away - length : x + radius + away;
      const box = { left, right: left + length, top, bottom: top + labelLineHeight };
      if (taken.some((other) => overlap(other, box)) || small.some((other) => other.dot !== dot && overlap(other.box, box))) continue;
      taken.push(box, boxOf(dot));
      return [textIn(document, box, anchor, label)];
    }
    return [];
  });
}

/** Sizes of title and axis labels of a panel. */
const titleSize = 12;
const labelSize = 11.5;
const tickSize = 11;
const lineHeight = 14;
const right = 26;

/** Pixels around the frame of a panel. */
export interface PanelMargins {
  readonly left: number;
  readonly top: number;
  readonly bottom: number;
}

/** The margins that the texts of a panel need. */
export function marginsOf(panel: Panel, width: number): PanelMargins {
  const above = titleLines(panel, width).length + verticalLabel(panel, width).length;
  const below = textLines(labelOf(panel.x), width, labelSize).length;
  const longestName = namesOf(panel).reduce((longest, name) => Math.max(longest, textWidth(name, tickSize)), 0);
  const left = panel.y.ticks?.length === 0 ? 14 : Math.min(Math.max(width < 420 ? 52 : 62, longestName + 10), 0.4 * width);
  return { left, top: 6 + lineHeight * Math.max(1, above), bottom: 42 + lineHeight * Math.max(0, below - 1) };
}

const titleLines = ({ title }: Panel, width: number) => textLines(title, width - 4, titleSize, true);
const verticalLabel = ({ y }: Panel, width: number) => (y.scale === "category" ? [] : textLines(labelOf(y), width - 4, labelSize));

function namesOf({ y, marks }: Panel): readonly string[] {
  return y.scale === "category" ? [...new Set(marks.flatMap((mark) => (mark.mark === "bars" ? mark.names : [])))] : [];
}

interface PanelOptions {
  readonly document: SvgDocument;
  readonly figure: Figure;
  readonly panel: Panel;
  /** In pixels, with margins. */
  readonly width: number;
  /** Whether lines need markers. */
  readonly marked: boolean;
  readonly margins: PanelMargins;
  /** Room inside the frame for markers at its edge, in pixels. */
  readonly inset: number;
}

/** Draw one panel of a figure: its frame, marks, axes and their labels. */
export function drawPanel({ document, figure, panel, width, marked, margins, inset }: PanelOptions): { element: SvgElement; height: number } {
  const names = namesOf(panel);
  const isCategory = panel.y.scale === "category";
  const x = { axis: panel.x, extent: extentOf(panel, "x") };
  const y = { axis: panel.y, extent: extentOf(panel, "y") };
  const { left, top, bottom } = margins;
  const innerWidth = width - left - right;
  const innerHeight = isCategory
    ? names.length * (10 + lineHeight * noteLines(panel, innerWidth))
    : plotHeight(figure, panel, innerWidth, inset, x.extent, y.extent);
  const height = Math.round(innerHeight + top + bottom);
  const drawing = { document, panel, series: figure.series, marked, width: innerWidth, height: innerHeight };
  const element = Plot.plot({
    document: document as never,
    width,
    height,
    marginLeft: left,
    marginRight: right,
    marginTop: top,
    marginBottom: bottom,
    style: { fontFamily: "inherit", fontSize: "11px", background: "none", color: "inherit" },
    x: { ...scaleOf(x.axis, x.extent), label: null, axis: null, inset },
    y: isCategory
      ? { type: "band", domain: names, label: null, padding: 0.25, axis: null, tickFormat: (name: string) => shortened(name, left - 10, tickSize) }
      : { ...scaleOf(y.axis, y.extent), label: null, axis: null, inset },
    marks: [
      ...axes(x, y, isCategory, innerWidth, innerHeight),
      ...panel.marks.flatMap((mark) => plotMarks(mark, drawing)),
      plotLabels(document, panel, drawing),
    ],
  }) as unknown as SvgElement;
  // A group without a role has no name: Plot calls each by the kind of its marks.
  for (const named of element.querySelectorAll("g[aria-label]")) named.removeAttribute("aria-label");
  element.append(...panelTexts(document, panel, { width, height, left, innerWidth, top }));
  const geometry = {
    panel: figure.panels.indexOf(panel),
    left: left + inset,
    right: width - right - inset,
    top,
    bottom: height - bottom,
    x0: x.extent[0],
    x1: x.extent[1],
  };
  for (const [name, value] of Object.entries(geometry)) element.setAttribute(`data-${name}`, String(value));
  return { element, height };
}

/** Title and axis labels. Plot's own axis labels are cut where they are long. */
function panelTexts(
  document: SvgDocument,
  panel: Panel,
  { width, height, left, innerWidth, top }: { width: number; height: number; left: number; innerWidth: number; top: number },
): SvgElement[] {
  const text = (line: string, place: Readonly<Record<string, string | number>>) => svgElement(document, "text", { ...place, fill: "currentColor" }, line);
  const above = verticalLabel(panel, width);
  const below = textLines(labelOf(panel.x), width, labelSize);
  const widest = below.reduce((most, line) => Math.max(most, textWidth(line, labelSize)), 0);
  const middle = Math.min(Math.max(left + innerWidth / 2, widest / 2), width - widest / 2);
  const titles = titleLines(panel, width);
  const from = top - 11 - lineHeight * (above.length - 1);
  return [
    ...below.map((line, index) =>
      text(line, { x: middle, y: height - 6 - lineHeight * (below.length - 1 - index), "text-anchor": "middle", "font-size": labelSize }),
    ),
    ...above.map((line, index) => text(line, { x: 2, y: from + lineHeight * index, "text-anchor": "start", "font-size": labelSize })),
    ...titles.map((line, index) => text(line, { x: 2, y: 9 + lineHeight * index, "text-anchor": "start", "font-size": titleSize, "font-weight": "bold" })),
  ];
}

const cellsHeight = 256;

/** Height of a panel's frame: whole pixels for each row of cells, one unit for both axes if they are equal, else that of its figure. */
function plotHeight(
  { panels }: Figure,
  { marks, equal, height }: Panel,
  innerWidth: number,
  inset: number,
  x: readonly [number, number],
  y: readonly [number, number],
): number {
  const [rows] = marks.flatMap((mark) => (mark.mark === "cells" ? mark.rows.length : mark.mark === "spans" ? mark.names.length : []));
  if (height !== undefined) return height;
  if (rows) return rows * Math.max(1, Math.round(cellsHeight / rows));
  if (equal) return (innerWidth - 2 * inset) * Math.abs((y[1] - y[0]) / (x[1] - x[0])) + 2 * inset;
  return panels.length > 1 ? 164 : Math.min(244, Math.max(170, 0.6 * innerWidth));
}

function labelOf({ label, unit }: Axis): string {
  return unit === null ? label : `${label} (${unit})`;
}

interface ShownAxis {
  axis: Axis;
  extent: [number, number];
}

function scaleOf({ scale }: Axis, extent: [number, number]): Plot.ScaleOptions {
  if (scale === "log") return { type: "log", domain: extent };
  if (scale === "symlog") return { type: "symlog", constant: 1, domain: extent };
  return { type: "linear", domain: extent };
}

function axes(x: ShownAxis, y: ShownAxis, isCategory: boolean, width: number, height: number): Plot.Markish[] {
  const xTicks = Math.max(3, Math.floor(width / 75));
  const yTicks = Math.max(3, Math.floor(height / 42));
  const xAt = axisTicks(x.axis, x.extent, Math.round(1.5 * xTicks));
  const yAt = axisTicks(y.axis, y.extent, yTicks);
  const apart = xAt && labelledTicks(x, xAt, width);
  const xOptions = xAt ? { ticks: xAt.at, tickFormat: (value: number) => (apart?.has(value) ? xAt.text(value) : "") } : { ticks: xTicks };
  const yOptions = yAt ? { ticks: yAt.at, tickFormat: yAt.text } : { ticks: yTicks };
  const grid = { stroke: "currentColor", strokeOpacity: 0.12 };
  if (isCategory) return [Plot.gridX({ ...grid, ticks: xTicks }), Plot.axisX({ ...xOptions, label: null }), Plot.axisY({ label: null, tickSize: 0 })];
  return [
    Plot.gridX({ ...grid, ticks: xAt?.at ?? xTicks }),
    Plot.gridY({ ...grid, ticks: yAt?.at ?? yTicks }),
    Plot.axisX({ ...xOptions, label: null }),
    Plot.axisY({ ...yOptions, label: null }),
  ];
}

const betweenTicks = 6;

/** Ticks of a horizontal axis whose texts do not overlap: the first, the last, and those between them from left to right. */
function labelledTicks({ axis, extent }: ShownAxis, { at, text }: { at: readonly number[]; text: (value: number) => string }, width: number): Set<number> {
  const place = (value: number) => width * shareOf(axis.scale, value, extent);
  const reach = (value: number) => textWidth(text(value), tickSize) / 2 + betweenTicks / 2;
  const sorted = [...at].sort((a, b) => place(a) - place(b));
  const last = sorted.at(-1);
  const kept = new Set<number>(last === undefined ? [] : [last]);
  let end = Number.NEGATIVE_INFINITY;
  for (const value of sorted.slice(0, -1)) {
    if (place(value) - reach(value) < end || (last !== undefined && place(value) + reach(value) > place(last) - reach(last))) continue;
    kept.add(value);
    end = place(value) + reach(value);
  }
  return kept;
}
