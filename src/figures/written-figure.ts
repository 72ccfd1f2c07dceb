import type { Figure } from "./figure.js";
import type { PngOptions } from "./png-of-figure.js";
import type { SvgOptions } from "./svg-of-figure.js";

// What draws is loaded when it is asked for: most programs draw nothing.

/** A figure as the text of an SVG file, complete in itself. */
export async function svgOfFigure(figure: Figure, options?: SvgOptions): Promise<string> {
  return (await import("./svg-of-figure.js")).svgOfFigure(figure, options);
}

/** A figure as a PNG file; its font comes with this package. */
export async function pngOfFigure(figure: Figure, options?: PngOptions): Promise<Uint8Array> {
  return (await import("./png-of-figure.js")).pngOfFigure(figure, options);
}

/** The numbers of a figure as CSV, a row a point, none rounded. */
export async function csvOfFigure(figure: Figure): Promise<string> {
  return (await import("./csv-of-figure.js")).csvOfFigure(figure);
}
