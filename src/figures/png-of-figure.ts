import { Resvg } from "@resvg/resvg-js";
import { shippedFile } from "../formats/shipped-file.js";
import type { Figure } from "./figure.js";
import { svgOfFigure } from "./svg-of-figure.js";

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
