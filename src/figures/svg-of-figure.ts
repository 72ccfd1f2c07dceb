import { parseHTML } from "linkedom";
import { xmlText } from "../text/printable.js";
import { drawFigure } from "./draw/draw-figure.js";
import { figureStyle, type Theme } from "./draw/palette.js";
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
