import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";
import { shippedFile } from "../formats/file-bytes.js";
import { xmlText } from "../text/escaping.js";
import { drawFigure } from "./draw/draw-figure.js";
import { figureStyle, type Theme } from "./draw/legend.js";
import type { Figure } from "./figure.js";

export interface SvgOptions {
  /** `auto`, the default, follows whoever looks at it. */
  readonly theme?: Theme | undefined;
  /** In pixels; 760 when left out. */
  readonly width?: number | undefined;
}

/** A figure as the text of an SVG file, complete in itself. Characters that XML cannot hold are escaped. */
export function svgOfFigure(figure: Figure, { theme = "auto", width }: SvgOptions = {}): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const options = { document, style: figureStyle(theme), ...(width !== undefined && { width }) };
  return `${xmlText(drawFigure(figure, options).outerHTML)}\n`;
}

export interface PngOptions {
  /** `light` when left out. */
  readonly theme?: "light" | "dark" | undefined;
  /** Pixels of the picture for one of the figure; 2 when left out. */
  readonly scale?: number | undefined;
}

/** A figure as a PNG file. Its font comes with this package: a bare machine has none. */
export function pngOfFigure(figure: Figure, { theme = "light", scale = 2 }: PngOptions = {}): Uint8Array {
  const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) => shippedFile(`dejavu-fonts-ttf/ttf/${name}`));
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" };
  return new Resvg(svgOfFigure(figure, { theme }), { font, fitTo: { mode: "zoom", value: scale } }).render().asPng();
}
