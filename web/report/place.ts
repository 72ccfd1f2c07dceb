import { valueAt } from "../../src/figures/draw/extent.js";
import type { Figure, Panel } from "../../src/figures/figure.js";
import { stepLabel } from "../../src/figures/panels.js";

/** Where a pointer is in a figure. */
export interface Place {
  readonly svg: SVGSVGElement;
  readonly panel: Panel;
  /** In pixels of the panel, and in what its axes measure. */
  readonly px: number;
  readonly py: number;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
}

/** What a panel's drawing says of itself. */
export function numbersOf(svg: SVGSVGElement): { left: number; right: number; top: number; bottom: number; x0: number; x1: number } {
  const number = (name: string) => Number(svg.getAttribute(`data-${name}`));
  return { left: number("left"), right: number("right"), top: number("top"), bottom: number("bottom"), x0: number("x0"), x1: number("x1") };
}

/** Where a pointer is; undefined where it is in no panel. */
export function locationOf(drawing: HTMLElement, { panels }: Figure, event: PointerEvent): Place | undefined {
  for (const svg of drawing.querySelectorAll<SVGSVGElement>("svg[data-panel]")) {
    const panel = panels[Number(svg.dataset["panel"])];
    const matrix = svg.getScreenCTM();
    if (!panel || !matrix) continue;
    const { x: px, y: py } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const { left, right, top, bottom, x0, x1 } = numbersOf(svg);
    if (px < left || px > right || py < top || py > bottom) continue;
    return { svg, panel, px, py, x: valueAt(panel.x.scale, (px - left) / (right - left), [x0, x1]), top, bottom };
  }
  return undefined;
}

/** A place in the middle of the first panel over the steps, at a share of its width. */
export function placeAtShare(drawing: HTMLElement, { panels }: Figure, share: number): Place | undefined {
  for (const svg of drawing.querySelectorAll<SVGSVGElement>("svg[data-panel]")) {
    const panel = panels[Number(svg.dataset["panel"])];
    if (panel?.x.label !== stepLabel) continue;
    const { left, right, top, bottom, x0, x1 } = numbersOf(svg);
    return { svg, panel, px: left + share * (right - left), py: (top + bottom) / 2, x: valueAt(panel.x.scale, share, [x0, x1]), top, bottom };
  }
  return undefined;
}
