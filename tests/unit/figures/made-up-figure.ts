import type { Figure, Mark, Panel } from "../../../src/figures/figure.js";
import { axis, seriesOf, stepAxis } from "../../../src/figures/panels.js";

/** A figure of two series with these marks in one panel. */
export function madeUpFigure(marks: readonly Mark[], panel: Partial<Panel> = {}, over: Partial<Figure> = {}): Figure {
  return {
    ...{ schema: "bh-bridge/figure@1", name: "made-up", title: "Made up", caption: "Of nothing.", columns: 1 },
    sources: [{ name: "a run", hash: "0123456789abcdef" }],
    series: [seriesOf("first", 0), seriesOf("second", 1)],
    panels: [{ title: "", x: stepAxis(), y: axis("height", "m"), equal: false, ...panel, marks }],
    ...over,
  };
}
