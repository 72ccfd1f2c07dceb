import { axis } from "../axes.js";
import { linePanels, namedAlike, type QuantitySeries } from "../line-panels.js";
import { analysedSteps } from "../state-series.js";
import { requestedAnalysis } from "./requested-analysis.js";
import { type Absent, defineRunFigure, isAbsent } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

const names = { bulk: "bulk: of the mean", peculiar: "peculiar: around it", radial: "radial", tangential: "tangential" } as const;
const lagged = "over lags";
const outwards = "outwards";

async function read(run: RunSource): Promise<QuantitySeries | Absent> {
  const found = await requestedAnalysis(run, "kinematics");
  if (isAbsent(found)) return found;
  const { bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed, autocorrelation } = found.part;
  const steps = analysedSteps(found.document).slice(1);
  return {
    [names.bulk]: { steps, values: bulkSpeed },
    [names.peculiar]: { steps, values: peculiarSpeed },
    [names.radial]: { steps, values: radialSpeed },
    [names.tangential]: { steps, values: tangentialSpeed },
    [outwards]: { steps, values: radial },
    [`${names.bulk}, ${lagged}`]: { steps: autocorrelation.lags, values: autocorrelation.bulk },
    [`${names.peculiar}, ${lagged}`]: { steps: autocorrelation.lags, values: autocorrelation.peculiar },
  };
}

const perStep = "weights per step";

/** How the rows move together and around their mean, in which directions, and how long a motion lasts. */
export const kinematics = defineRunFigure({
  name: "kinematics",
  overlays: true,
  read,
  describe(runs) {
    const lags = [...new Set(runs.flatMap(({ data }) => data[`${names.bulk}, ${lagged}`]?.steps ?? []))];
    return {
      schema: "bh-bridge/figure@1",
      name: "kinematics",
      title: "Bulk and peculiar motion",
      caption:
        "Velocities are moves in a step. Bulk is that of the mean of all rows; peculiar is the root mean square of the rows' own around it, and radial and tangential are its parts along the line from the centroid and across it. Outwards is the mean radial velocity: above 0 the rows fly apart. The correlation is that of velocities so many steps apart: 1 goes on, 0 has forgotten, below 0 turns back.",
      ...linePanels(
        [
          { title: "Bulk and peculiar speed", y: axis("speed", perStep, { scale: "log" }), quantities: namedAlike([names.bulk, names.peculiar]) },
          { title: "Parts of the peculiar speed", y: axis("speed", perStep, { scale: "log" }), quantities: namedAlike([names.radial, names.tangential]) },
          { title: "Outwards", y: axis("mean radial velocity", perStep, { zero: true }), quantities: { [names.radial]: outwards } },
          {
            title: "How long a motion lasts",
            x: axis("steps apart", null, { scale: "log", ticks: lags.map((at) => ({ at, text: String(at) })) }),
            y: axis("correlation of velocities", null, { zero: true }),
            quantities: { [names.bulk]: `${names.bulk}, ${lagged}`, [names.peculiar]: `${names.peculiar}, ${lagged}` },
          },
        ],
        runs,
      ),
    };
  },
});
