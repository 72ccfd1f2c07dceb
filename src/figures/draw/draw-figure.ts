import * as Plot from "@observablehq/plot";
import type { Axis, Figure, Panel } from "../figure.js";
import { reduceFigure } from "../reduce-figure.js";
import { plotLabels, plotMarks } from "./draw-marks.js";
import { axisTicks, extentOf } from "./extent.js";
import { drawLegend, type SvgDocument, type SvgElement, svgElement, svgNamespace } from "./legend.js";

export interface DrawOptions {
  readonly document: SvgDocument;
  /** In pixels (default: 760). */
  readonly width?: number;
  /** Style sheet to embed, unless the page has one. */
  readonly style?: string;
  /** Whether to omit title, caption and source. */
  readonly bare?: boolean;
}

const font = "system-ui, 'DejaVu Sans', sans-serif";
const padding = 16;
const gap = 18;
const panelHeight = { one: 320, several: 240 } as const;
const margin = { left: 62, right: 26, top: 34, bottom: 42 } as const;
const captionSize = 11.5;
const captionLine = 16;

/** Draw a figure as one SVG element, whose colours come from a style sheet. */
export function drawFigure(whole: Figure, { document, width = 760, style, bare = false }: DrawOptions): SvgElement {
  const figure = reduceFigure(whole);
  const inner = width - 2 * padding;
  const marked = figure.series.filter(({ name }) => name !== "").length > 1;
  const parts: SvgElement[] = [];
  let y = padding;
  const put = (element: SvgElement, height: number): void => {
    parts.push(svgElement(document, "g", { transform: `translate(${padding},${y})` }, [element]));
    y += height;
  };
  if (!bare) put(svgElement(document, "text", { y: 13, "font-size": 16, "font-weight": "bold", fill: "currentColor" }, figure.title), 28);
  const legend = drawLegend(document, figure, inner, marked);
  if (legend) put(legend.element, legend.height + 8);
  const columns = Math.min(figure.columns, figure.panels.length);
  const panelWidth = (inner - gap * (columns - 1)) / columns;
  for (let first = 0; first < figure.panels.length; first += columns) {
    const row = figure.panels.slice(first, first + columns).map((panel) => drawPanel(document, figure, panel, panelWidth, marked));
    for (const [column, { element }] of row.entries()) {
      element.setAttribute("x", String(padding + column * (panelWidth + gap)));
      element.setAttribute("y", String(y));
      parts.push(element);
    }
    y += Math.max(...row.map(({ height }) => height)) + 8;
  }
  if (!bare) {
    for (const line of [...linesOf(figure.caption, inner), ...linesOf(sourceLine(figure), inner)]) {
      put(svgElement(document, "text", { y: 11, "font-size": captionSize, fill: "currentColor", "fill-opacity": 0.85 }, line), captionLine);
    }
  }
  const height = Math.ceil(y + padding / 2);
  return svgElement(
    document,
    "svg",
    { xmlns: svgNamespace, class: "figure", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "font-family": font, fill: "currentColor" },
    [
      svgElement(document, "title", {}, figure.title),
      svgElement(document, "desc", {}, `${figure.caption} ${sourceLine(figure)}`),
      ...(style === undefined ? [] : [svgElement(document, "style", {}, style)]),
      svgElement(document, "rect", { class: "ground", width, height }),
      ...parts,
    ],
  );
}

/** The source of the data, such as `Data: quick (4e4623d8…)`. */
function sourceLine({ sources }: Figure): string {
  const shown = sources.slice(0, 6).map(({ name, hash }) => `${name} (${hash.slice(0, 12)})`);
  const more = sources.length > shown.length ? ` and ${sources.length - shown.length} more` : "";
  return `Data: ${shown.join(", ")}${more}`;
}

/** A text in lines about as wide as the figure. `text/wrap.ts` is for terminals and needs Node. */
function linesOf(text: string, width: number): string[] {
  const most = Math.floor(width / (captionSize * 0.56));
  const lines: string[] = [];
  for (const word of text.split(" ").filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= most) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function drawPanel(document: SvgDocument, figure: Figure, panel: Panel, width: number, marked: boolean): { element: SvgElement; height: number } {
  const isCategory = panel.y.scale === "category";
  const names = isCategory ? panel.marks.flatMap((mark) => (mark.mark === "bars" ? mark.names : [])) : [];
  const x = { axis: panel.x, extent: extentOf(panel, "x") };
  const y = { axis: panel.y, extent: extentOf(panel, "y") };
  const { left } = margin;
  const innerWidth = width - left - margin.right;
  const innerHeight = isCategory
    ? names.length * 24
    : (rowsHeight(panel) ?? (panel.equal ? innerWidth * lengthRatio(x.extent, y.extent) : heightOf(figure) - margin.top - margin.bottom));
  const height = Math.round(innerHeight + margin.top + margin.bottom);
  const yTicks = Math.max(3, Math.floor(innerHeight / 42));
  const xTicks = Math.max(3, Math.floor(innerWidth / 75));
  const drawing = { document, panel, series: figure.series, marked, width: innerWidth };
  const element = Plot.plot({
    document: document as never,
    width,
    height,
    marginLeft: left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    style: { fontFamily: "inherit", fontSize: "11px", background: "none", color: "inherit" },
    x: { ...scaleOf(x.axis, x.extent), label: null, axis: null },
    y: isCategory ? { type: "band", domain: names, label: null, padding: 0.25, axis: null } : { ...scaleOf(y.axis, y.extent), label: null, axis: null },
    marks: [...axes(x, y, isCategory, xTicks, yTicks), ...panel.marks.flatMap((mark) => plotMarks(mark, drawing)), plotLabels(drawing)],
  }) as unknown as SvgElement;
  // A group without a role has no name: Plot calls each by the kind of its marks.
  for (const named of element.querySelectorAll("g[aria-label]")) named.removeAttribute("aria-label");
  // Plot's own axis labels are cut where they are long.
  element.append(
    svgElement(
      document,
      "text",
      { x: left + innerWidth / 2, y: height - 6, "text-anchor": "middle", "font-size": 11.5, fill: "currentColor" },
      labelOf(panel.x),
    ),
    svgElement(document, "text", { x: 2, y: 23, "text-anchor": "start", "font-size": 11.5, fill: "currentColor" }, isCategory ? "" : labelOf(panel.y)),
    svgElement(document, "text", { x: 2, y: 9, "text-anchor": "start", "font-size": 12, "font-weight": "bold", fill: "currentColor" }, panel.title),
  );
  const geometry = {
    panel: figure.panels.indexOf(panel),
    left,
    right: width - margin.right,
    top: margin.top,
    bottom: height - margin.bottom,
    x0: x.extent[0],
    x1: x.extent[1],
  };
  for (const [name, value] of Object.entries(geometry)) element.setAttribute(`data-${name}`, String(value));
  return { element, height };
}

function heightOf({ panels }: Figure): number {
  return panels.length > 1 ? panelHeight.several : panelHeight.one;
}

const cellsHeight = 256;

/** Height of rows of cells, if any: whole pixels for each, so that all have the same height. */
function rowsHeight({ marks }: Panel): number | undefined {
  const rows = marks.find(({ mark }) => mark === "cells") as { rows: readonly string[] } | undefined;
  return rows && rows.rows.length * Math.max(1, Math.round(cellsHeight / rows.rows.length));
}

function lengthRatio(x: readonly [number, number], y: readonly [number, number]): number {
  return Math.abs((y[1] - y[0]) / (x[1] - x[0]));
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

function axes(x: ShownAxis, y: ShownAxis, isCategory: boolean, xTicks: number, yTicks: number): Plot.Markish[] {
  const xAt = axisTicks(x.axis, x.extent, Math.round(1.5 * xTicks));
  const yAt = axisTicks(y.axis, y.extent, yTicks);
  const xOptions = xAt ? { ticks: xAt.at, tickFormat: xAt.text } : { ticks: xTicks };
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
