import { stepsOf } from "../../formats/state-of-step.js";
import { countAxis, stepAxis } from "../axes.js";
import type { Panel } from "../figure.js";
import { styledSeries } from "../styled-series.js";
import { defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

interface Counts {
  readonly tokens: number;
  readonly steps: readonly number[];
  readonly unique: readonly number[];
  readonly C: readonly number[];
  readonly P: readonly number[];
}

async function read(run: RunSource): Promise<Counts> {
  const { states, steps, tokens, timeline } = await run.analysis();
  const { unique = [], C = [], P = [] } = timeline ?? {};
  return { tokens, steps: stepsOf({ states, ...(steps && { steps }) }), unique, C, P };
}

/** How many rows are distinct, how many black holes there are, and how many tokens are in them, after every step. */
export const blackHoles = defineRunFigure({
  name: "black-holes",
  overlays: true,
  read,
  describe(runs) {
    const quantities = ["tokens in black holes (P)", "distinct rows", "black holes (C)"];
    const series = styledSeries(
      quantities,
      runs.map(({ label }) => label),
    );
    const panel = (title: string, label: string, marks: Panel["marks"]): Panel => ({
      title,
      x: stepAxis({ scale: "symlog" }),
      y: countAxis(label),
      equal: false,
      marks,
    });
    const step = { mark: "line", curve: "step" } as const;
    const rows = runs.flatMap(({ data: { steps, unique, P } }, run) => [
      { ...step, series: 3 * run, x: steps, y: P },
      { ...step, series: 3 * run + 1, x: steps, y: unique },
    ]);
    const holes = runs.map(({ data: { steps, C } }, run) => ({ ...step, series: 3 * run + 2, x: steps, y: C }));
    return {
      schema: "bh-bridge/figure@1",
      name: "black-holes",
      title: "Black holes over the steps",
      caption: "A black hole is a value that two or more rows of the embedding share, in every bit. The axis of steps is logarithmic in step + 1.",
      sources: runs.map(({ source }) => source),
      series,
      panels: [panel("Tokens", "tokens", rows), panel("Black holes", "black holes", holes)],
      columns: 2,
    };
  },
});
