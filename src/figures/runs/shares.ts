import { axis } from "../axes.js";
import { linePanels, namedAlike, type QuantitySeries } from "../line-panels.js";
import { overMoves } from "../state-series.js";
import { defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

const names = { still: "still in this step", frozen: "frozen from here on", thermal: "thermal" } as const;

async function read(run: RunSource): Promise<QuantitySeries> {
  const analysis = await run.analysis();
  const { stillFraction = [], frozenFraction = [] } = analysis.motion ?? {};
  const late = analysis.lifecycle?.counts.late;
  return {
    [names.still]: overMoves(analysis, stillFraction),
    [names.frozen]: overMoves(analysis, frozenFraction),
    ...(late && {
      [names.thermal]: overMoves(
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
    ...linePanels([{ title: "", y: axis("share of the tokens", null, { domain: [0, 1] }), quantities: namedAlike(Object.values(names)) }], runs),
  }),
});
