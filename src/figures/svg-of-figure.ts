import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";
import { shippedFile } from "../formats/file-bytes.js";
import { xmlText } from "../text/escaping.js";
import { drawFigure } from "./draw/draw-figure.js";
import { figureStyle, type Theme } from "./draw/legend.js";
import type { Figure } from "./figure.js";

/** Options of `svgOfFigure`. */
export interface SvgOptions {
  /** `auto` follows the reader's preference (default: `auto`). */
  readonly theme?: Theme | undefined;
  /** In pixels (default: 760). */
  readonly width?: number | undefined;
}

/** A figure as the text of a self-contained SVG file. Characters that XML does not allow are escaped. */
export function svgOfFigure(figure: Figure, { theme = "auto", width }: SvgOptions = {}): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const options = { document, style: figureStyle(theme), ...(width !== undefined && { width }) };
  return `${xmlText(drawFigure(figure, options).outerHTML)}\n`;
}

/**
 * A figure as the text of an SVG without title, caption and styles, for a page that has the styles and allows no inline ones.
 * @param width in pixels.
 */
export function drawingOfFigure(figure: Figure, width: number): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawing = drawFigure(figure, { document, width, bare: true });
  for (const styled of drawing.querySelectorAll("[style]")) styled.removeAttribute("style");
  return xmlText(drawing.outerHTML).replaceAll(/<style>[^<]*<\/style>/g, "");
}

/** Options of `pngOfFigure`. */
export interface PngOptions {
  /** Default: `light`. */
  readonly theme?: "light" | "dark" | undefined;
  /** Pixels of the picture per pixel of the figure (default: 2). */
  readonly scale?: number | undefined;
}

/** A figure as a PNG file. Its font comes with this package, since some machines have none. */
export function pngOfFigure(figure: Figure, { theme = "light", scale = 2 }: PngOptions = {}): Uint8Array {
  const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) => shippedFile(`dejavu-fonts-ttf/ttf/${name}`));
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" };
  return new Resvg(svgOfFigure(figure, { theme }), { font, fitTo: { mode: "zoom", value: scale } }).render().asPng();
}
