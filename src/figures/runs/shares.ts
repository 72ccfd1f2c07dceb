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
    ...(late && {
      thermal: overMoves(
        analysis,
        late.map((tokens) => tokens / analysis.tokens),
      ),
    }),
  };
}

/** Which share of the tokens stands still, is frozen for good, or moves only within a lattice cell. */
export const shares = defineRunFigure({
  name: "shares",
  overlays: true,
  read,
  describe: (runs) => ({
    schema: "bh-bridge/figure@1",
    name: "shares",
    title: "Still, frozen and thermal tokens",
    caption:
      "Still: no weight of the token changes in the step. Frozen: none changes any more until the end. Thermal: from here on no weight moves by more than one lattice cell in a step, and some still move.",
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
