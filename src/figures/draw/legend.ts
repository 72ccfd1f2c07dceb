import type { Figure, Mark, Series } from "../figure.js";
import { dashOf, markerOutline } from "./markers.js";

/** The part of the DOM that drawing needs, in a browser or on a server. */
export interface SvgElement {
  readonly outerHTML: string;
  textContent: string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelectorAll(selector: string): Iterable<SvgElement>;
  append(...nodes: SvgElement[]): void;
}

export interface SvgDocument {
  createElementNS(namespace: string, name: string): SvgElement;
}

export const svgNamespace = "http://www.w3.org/2000/svg";

/** An SVG element. String content is set as text. */
export function svgElement(
  document: SvgDocument,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly SvgElement[] = [],
): SvgElement {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (typeof content === "string") element.textContent = content;
  else element.append(...content);
  return element;
}

/** Colours of a theme. They differ in lightness and hue, and are legible on the background. */
interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly series: readonly string[];
  /** Ascending. */
  readonly levels: readonly string[];
}

const palettes: Readonly<Record<"light" | "dark", Palette>> = {
  light: {
    ground: "#ffffff",
    ink: "#1f2328",
    series: ["#1f4e8c", "#c4560a", "#00796b", "#a0357f", "#7d6100", "#3d8fd1", "#7a2318", "#5c6370"],
    levels: ["#e9ecef", "#f6d27a", "#e0742c", "#8a1c3c", "#2a0d3a"],
  },
  dark: {
    ground: "#161b22",
    ink: "#dfe3e8",
    series: ["#7db3f2", "#f0a06a", "#4fc7b0", "#e391cd", "#d9bd4a", "#a9d6ff", "#f08a7c", "#a6adb8"],
    levels: ["#272d36", "#5d3a6e", "#c0435f", "#f2924a", "#fbe6a2"],
  },
};

export type Theme = "light" | "dark" | "auto";

/** The style sheet of a figure, with colours by class. `auto` follows the reader's preference; print is light. */
export function figureStyle(theme: Theme, scope = "svg"): string {
  if (theme !== "auto") return rules(palettes[theme], scope);
  return `${rules(palettes.light, scope)}@media screen and (prefers-color-scheme:dark){${rules(palettes.dark, scope)}}`;
}

function rules({ ground, ink, series, levels }: Palette, scope: string): string {
  const colours = [
    ...series.map((colour, index) => [`series${index}`, colour] as const),
    ...levels.map((colour, index) => [`levels${index}`, colour] as const),
  ];
  return `${scope}{color:${ink}}.ground{fill:${ground}}.halo{stroke:${ground};stroke-width:3px;stroke-linejoin:round;paint-order:stroke}${colours.map(([name, colour]) => `.${name}{color:${colour}}.${name}-fill{color:${colour};fill:${colour}}`).join("")}`;
}

/** The class of a series' stroked marks. Filled marks append `-fill`, since some programs do not pass currentColor on to children. */
export function colourClass({ palette, color }: { palette: "series" | "levels"; color: number }): string {
  return `${palette}${color % palettes.light[palette].length}`;
}

/** One entry of a legend. */
interface Entry {
  readonly series: Series;
  readonly kinds: ReadonlySet<Mark["mark"]>;
}

const fontSize = 12;
const sampleWidth = 34;
const rowHeight = 20;

/** Approximate width of a text in the widest possible font. */
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

/** The legend of a figure, in rows of a given width; undefined if it has no entries. */
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
  const marker = svgElement(document, "path", { d: markerOutline(series.marker, sampleWidth / 2, middle), fill: "currentColor" });
  const isMarked = kinds.has("dots") || (marked && kinds.has("line"));
  return [...(isLine ? [line] : []), ...(isMarked ? [marker] : [])];
}
