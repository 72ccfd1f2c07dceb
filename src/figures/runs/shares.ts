import { axis, linePanels, overMoves, type StepSeries } from "../panels.js";
import { defineRunFigure, type RunSource } from "./run-figure.js";

interface Shares {
  readonly still: StepSeries;
  readonly frozen: StepSeries;
  readonly thermal?: StepSeries;
}

async function read(run: RunSource): Promise<Shares> {
  const analysis = await run.analysis();
  const { stillFraction = [], frozenFraction = [] } = analysis.motion ?? {};
  const late = analysis.lifecycle?.counts.late;
  return {
    still: overMoves(analysis, stillFraction),
    frozen: overMoves(analysis, frozenFraction),
    ...(late && { thermal: { ...overMoves(analysis, []), values: late.map((tokens) => tokens / analysis.tokens) } }),
  };
}

/** Shares of tokens that are still, frozen, or move only within a lattice cell. */
export const shares = defineRunFigure({
  name: "shares",
  overlays: true,
  read,
  describe: (runs) => ({
    title: "Still, frozen and thermal tokens",
    caption:
      "Still: no weight of the token changes in the step. Frozen: no weight changes until the end. Thermal: from here on, weights move by at most one lattice cell per step, and some still move.",
    ...linePanels(
      [
        {
          title: "",
          y: axis("share of the tokens", null, { domain: [0, 1] }),
          lines: { "still in this step": ({ still }) => still, "frozen from here on": ({ frozen }) => frozen, thermal: ({ thermal }) => thermal },
        },
      ],
      runs,
    ),
  }),
});
