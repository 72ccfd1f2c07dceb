import type { Figure, Mark, Series } from "../figure.js";
import { colourClass, dashOf } from "./palette.js";
import { type SvgDocument, type SvgElement, svgElement } from "./svg-element.js";

/** One entry of a legend: a sample of its mark, and a name. */
interface Entry {
  readonly series: Series;
  readonly kinds: ReadonlySet<Mark["mark"]>;
}

const fontSize = 12;
const sampleWidth = 34;
const rowHeight = 20;

/** About as wide as a text is in the widest of the fonts that may show it. */
function textWidth(text: string, size: number): number {
  return [...text].length * size * 0.58;
}

/** The series with a name, each with the mark that shows it first. */
function entriesOf({ series, panels }: Figure): Entry[] {
  const marks = panels.flatMap((panel) => panel.marks);
  return series.flatMap((each, index) => {
    const own = marks.filter((mark) => ("series" in mark ? mark.series === index : "levels" in mark && mark.levels.includes(index)));
    return each.name === "" || own.length === 0 ? [] : [{ series: each, kinds: new Set(own.map(({ mark }) => mark)) }];
  });
}

/** The legend of a figure, in rows of a width; nothing where there is nothing to tell apart. */
export function drawLegend(document: SvgDocument, figure: Figure, width: number, marked: boolean): { element: SvgElement; height: number } | undefined {
  const entries = entriesOf(figure);
  if (entries.length === 0) return undefined;
  let x = 0;
  let row = 0;
  const drawn = entries.map(({ series, kinds }) => {
    const needed = sampleWidth + 6 + textWidth(series.name, fontSize) + 18;
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    const at = { x, y: row * rowHeight };
    x += needed;
    return svgElement(document, "g", { transform: `translate(${Math.round(at.x)},${at.y})` }, [
      svgElement(document, "g", { class: colourClass(series) }, sampleOf(document, series, kinds, marked)),
      svgElement(document, "text", { x: sampleWidth + 6, y: rowHeight / 2, dy: "0.35em", "font-size": fontSize, fill: "currentColor" }, series.name),
    ]);
  });
  return { element: svgElement(document, "g", { class: "legend" }, drawn), height: (row + 1) * rowHeight };
}

function sampleOf(document: SvgDocument, series: Series, kinds: Entry["kinds"], marked: boolean): SvgElement[] {
  const middle = rowHeight / 2;
  const line = svgElement(document, "line", {
    x1: 0,
    x2: sampleWidth,
    y1: middle,
    y2: middle,
    stroke: "currentColor",
    "stroke-width": 2,
    ...(dashOf(series.dash) !== "none" && { "stroke-dasharray": dashOf(series.dash) }),
  });
  const box = svgElement(document, "rect", { x: 10, y: middle - 6, width: 14, height: 12, fill: "currentColor" });
  const isLine = kinds.has("line") || kinds.has("bins");
  if (!isLine && !kinds.has("dots")) return [box];
  const marker = markerPath(document, series.marker, sampleWidth / 2, middle);
  const isMarked = kinds.has("dots") || (marked && kinds.has("line"));
  return [...(isLine ? [line] : []), ...(isMarked ? [marker] : [])];
}

/** The same shapes as on the lines, by their corners. */
function markerPath(document: SvgDocument, marker: number, x: number, y: number): SvgElement {
  const r = 4;
  const shapes = [
    `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`,
    `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`,
    `M${x},${y - 5}L${x + 5},${y + 4}H${x - 5}Z`,
    `M${x},${y - 6}L${x + 4},${y}L${x},${y + 6}L${x - 4},${y}Z`,
    `M${x - 1.5},${y - 5}h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5Z`,
    starPath(x, y),
    `M${x - 1.5},${y + 5}v-4l-3.5,-2.5l1.7,-2.6l3.3,2.3l3.3,-2.3l1.7,2.6l-3.5,2.5v4Z`,
  ];
  return svgElement(document, "path", { d: shapes[marker % shapes.length] ?? "", fill: "currentColor" });
}

function starPath(x: number, y: number): string {
  const corners = Array.from({ length: 10 }, (_, corner) => {
    const angle = (corner * Math.PI) / 5 - Math.PI / 2;
    const radius = corner % 2 === 0 ? 6 : 2.4;
    return `${(x + radius * Math.cos(angle)).toFixed(1)},${(y + radius * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${corners.join("L")}Z`;
}
