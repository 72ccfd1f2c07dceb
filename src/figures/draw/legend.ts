import type { Figure, Mark, Series } from "../figure.js";
import { drawnSeries } from "./extent.js";
import { dashOf, markerOutline } from "./markers.js";
import { type SvgDocument, type SvgElement, svgElement, textLines, textWidth } from "./svg.js";

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
  const colours = Object.entries({ series, levels }).flatMap(([palette, shades]) => shades.map((colour, index) => [`${palette}${index}`, colour] as const));
  return `${scope}{color:${ink}}.ground{fill:${ground}}.halo{stroke:${ground};stroke-width:3px;stroke-linejoin:round;paint-order:stroke}${colours.map(([name, colour]) => `.${name}{color:${colour}}.${name}-fill{color:${colour};fill:${colour}}`).join("")}`;
}

/** The class of a series' stroked marks. Filled marks append `-fill`, since some programs do not pass currentColor on to children. */
export function colourClass({ palette, color }: { palette: "series" | "levels"; color: number }): string {
  return `${palette}${color % palettes.light[palette].length}`;
}

interface Entry {
  readonly series: Series;
  readonly kinds: ReadonlySet<Mark["mark"]>;
}

const fontSize = 12;
const sampleWidth = 34;
const rowHeight = 20;
/** Height of a further line of a name. */
const lineHeight = 15;

/** The series with a name that a mark shows, with the kinds of their marks. */
function entriesOf({ series, panels }: Figure): Entry[] {
  const kinds = series.map(() => new Set<Mark["mark"]>());
  for (const { marks, y } of panels) for (const mark of marks) for (const index of drawnSeries(mark, y.scale)) kinds[index]?.add(mark.mark);
  return series.flatMap((each, index) => (each.name === "" || !kinds[index]?.size ? [] : [{ series: each, kinds: kinds[index] }]));
}

/** Number of entries in the legend of a figure. */
export function drawnEntries(figure: Figure): number {
  return entriesOf(figure).length;
}

/** The legend of a figure, in rows of a given width; undefined if it has no entries. */
export function drawLegend(document: SvgDocument, figure: Figure, width: number, marked: boolean): { element: SvgElement; height: number } | undefined {
  const entries = entriesOf(figure);
  if (entries.length === 0) return undefined;
  let x = 0;
  let y = 0;
  let tallest = 0;
  const drawn = entries.map(({ series, kinds }) => {
    const lines = textLines(series.name, width - sampleWidth - 6, fontSize);
    const needed = sampleWidth + 6 + Math.max(...lines.map((line) => textWidth(line, fontSize))) + 18;
    if (x > 0 && x + needed - 18 > width) {
      y += tallest;
      x = 0;
      tallest = 0;
    }
    const at = { x, y };
    x += needed;
    tallest = Math.max(tallest, rowHeight + (lines.length - 1) * lineHeight);
    const texts = lines.map((line, index) => {
      const place = { x: sampleWidth + 6, y: rowHeight / 2 + index * lineHeight, dy: "0.35em", "font-size": fontSize, fill: "currentColor" };
      return svgElement(document, "text", place, line);
    });
    return svgElement(document, "g", { transform: `translate(${Math.round(at.x)},${at.y})` }, [
      svgElement(document, "g", { class: colourClass(series) }, sampleOf(document, series, kinds, marked)),
      ...texts,
    ]);
  });
  return { element: svgElement(document, "g", { class: "legend" }, drawn), height: y + tallest };
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
  if (!isLine && !kinds.has("dots") && !kinds.has("pies")) return [box];
  const marker = svgElement(document, "path", { d: markerOutline(series.marker, sampleWidth / 2, middle), fill: "currentColor" });
  const isMarked = kinds.has("dots") || kinds.has("pies") || (marked && kinds.has("line"));
  return [...(isLine ? [line] : []), ...(isMarked ? [marker] : [])];
}
