import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import type { Figure } from "./figure.js";
import { svgOfFigure } from "./svg-of-figure.js";

export interface PngOptions {
  /** `light` when left out. */
  readonly theme?: "light" | "dark" | undefined;
  /** Pixels of the picture for one of the figure; 2 when left out. */
  readonly scale?: number | undefined;
}

const require = createRequire(import.meta.url);

/** A figure as a PNG file. Its font comes with this package: a bare machine has none. */
export function pngOfFigure(figure: Figure, { theme = "light", scale = 2 }: PngOptions = {}): Uint8Array {
  const fontFiles = [require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"), require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf")];
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" };
  return new Resvg(svgOfFigure(figure, { theme }), { font, fitTo: { mode: "zoom", value: scale } }).render().asPng();
}
