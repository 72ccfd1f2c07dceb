import type { Figure, Panel } from "../figure.js";
import { sourcesText } from "../panels.js";
import { reduceFigure, withSmoothLines } from "../reduce-figure.js";
import { drawPanel, marginsOf, type PanelMargins } from "./draw-panel.js";
import { drawLegend, drawnEntries } from "./legend.js";
import { type SvgDocument, type SvgElement, svgElement, svgNamespace, textLines } from "./svg.js";

export interface DrawOptions {
  readonly document: SvgDocument;
  /** In pixels (default: 760). The figure is laid out for it: panels in fewer columns, texts in more lines, all of readable size. */
  readonly width?: number;
  /** Style sheet to embed, unless the page has one. */
  readonly style?: string;
  /** Whether to omit title, caption and source. */
  readonly bare?: boolean;
}

const font = "system-ui, 'DejaVu Sans', sans-serif";
const gap = 18;
/** Minimum width of a panel beside another one, and that of a small multiple, of which more than three are wanted per row. */
const narrowest = 200;
const narrowestOfMany = 165;
const title = { size: 16, line: 20 } as const;
const caption = { size: 11.5, line: 16 } as const;

/** Draw a figure as one SVG element, whose colours come from a style sheet. */
export function drawFigure(whole: Figure, { document, width = 760, style, bare = false }: DrawOptions): SvgElement {
  const figure = reduceFigure(withSmoothLines(whole));
  const padding = width < 560 ? 8 : 16;
  const inner = width - 2 * padding;
  const marked = drawnEntries(figure) > 1;
  const parts: SvgElement[] = [];
  let y = padding;
  const put = (element: SvgElement, height: number): void => {
    parts.push(svgElement(document, "g", { transform: `translate(${padding},${y})` }, [element]));
    y += height;
  };
  const putLines = (text: string, { size, line }: { size: number; line: number }, look: Readonly<Record<string, string | number>>): void => {
    for (const each of textLines(text, inner, size, "font-weight" in look)) {
      put(svgElement(document, "text", { y: size - 2, "font-size": size, fill: "currentColor", ...look }, each), line);
    }
  };
  if (!bare) {
    putLines(figure.title, title, { "font-weight": "bold" });
    y += 8;
  }
  const legend = drawLegend(document, figure, inner, marked);
  if (legend) put(legend.element, legend.height + 8);
  const columns = columnsIn(figure, inner);
  const panelWidth = (inner - gap * (columns - 1)) / columns;
  const inset = insetOf(figure);
  for (let first = 0; first < figure.panels.length; first += columns) {
    const panels = figure.panels.slice(first, first + columns);
    const margins = commonMargins(panels, panelWidth);
    const row = panels.map((panel) => drawPanel({ document, figure, panel, width: panelWidth, marked, margins, inset }));
    for (const [column, { element }] of row.entries()) {
      element.setAttribute("x", String(padding + column * (panelWidth + gap)));
      element.setAttribute("y", String(y));
      parts.push(element);
    }
    y += Math.max(...row.map(({ height }) => height)) + 8;
  }
  if (!bare) {
    putLines(figure.caption, caption, { "fill-opacity": 0.85 });
    putLines(sourcesText(figure), caption, { "fill-opacity": 0.85 });
  }
  const height = Math.ceil(y + padding / 2);
  return svgElement(
    document,
    "svg",
    { xmlns: svgNamespace, class: "figure", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "font-family": font, fill: "currentColor" },
    [
      svgElement(document, "title", {}, figure.title),
      svgElement(document, "desc", {}, `${figure.caption} ${sourcesText(figure)}`),
      ...(style === undefined ? [] : [svgElement(document, "style", {}, style)]),
      svgElement(document, "rect", { class: "ground", width, height }),
      ...parts,
    ],
  );
}

/** Panels per row at a width: a row of the figure that does not fit is divided into rows of equal length. */
function columnsIn({ columns: wanted, panels }: Figure, width: number): number {
  const columns = Math.min(wanted, panels.length);
  const least = wanted > 3 ? narrowestOfMany : narrowest;
  const fitting = Math.max(1, Math.floor((width + gap) / (least + gap)));
  return Math.max(1, Math.ceil(columns / Math.ceil(columns / fitting)));
}

/** Margins of the panels of a row, so that their axes are level. */
function commonMargins(panels: readonly Panel[], width: number): PanelMargins {
  const all = panels.map((panel) => marginsOf(panel, width));
  return { left: Math.max(...all.map(({ left }) => left)), top: Math.max(...all.map(({ top }) => top)), bottom: Math.max(...all.map(({ bottom }) => bottom)) };
}

/** Room inside each frame for markers at its edge: the largest radius, in pixels. */
function insetOf({ panels }: Figure): number {
  const radii = panels.flatMap(({ marks }) => marks.flatMap((mark) => (mark.mark === "dots" || mark.mark === "pies" ? (mark.radius ?? []) : [])));
  return Math.ceil(radii.reduce((most, radius) => Math.max(most, radius), 0));
}
