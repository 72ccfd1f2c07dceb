import { analysedSteps, axis, linePanels, type StepSeries } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

const names = { bulk: "bulk: of the mean", peculiar: "peculiar: around it", radial: "radial", tangential: "tangential" } as const;
interface Velocities {
  readonly bulk: StepSeries;
  readonly peculiar: StepSeries;
  readonly radial: StepSeries;
  readonly tangential: StepSeries;
  /** The mean radial velocity. */
  readonly outwards: StepSeries;
  /** Correlations of velocities, over the number of steps between them. */
  readonly correlation: { readonly bulk: StepSeries; readonly peculiar: StepSeries };
}

async function read(run: RunSource): Promise<Velocities | Absent> {
  const found = await requestedAnalysis(run, "kinematics");
  if (isAbsent(found)) return found;
  const { bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed, autocorrelation } = found.part;
  const steps = analysedSteps(found.document).slice(1);
  return {
    bulk: { steps, values: bulkSpeed },
    peculiar: { steps, values: peculiarSpeed },
    radial: { steps, values: radialSpeed },
    tangential: { steps, values: tangentialSpeed },
    outwards: { steps, values: radial },
    correlation: {
      bulk: { steps: autocorrelation.lags, values: autocorrelation.bulk },
      peculiar: { steps: autocorrelation.lags, values: autocorrelation.peculiar },
    },
  };
}

const perStep = "weights per step";

/** How the rows move together and around their mean, in which directions, and how long a motion lasts. */
export const kinematics = defineRunFigure({
  name: "kinematics",
  overlays: true,
  read,
  describe(runs) {
    const lags = [...new Set(runs.flatMap(({ data }) => data.correlation.bulk.steps))];
    return {
      schema: "bh-bridge/figure@1",
      name: "kinematics",
      title: "Bulk and peculiar motion",
      caption:
        "Velocities are moves in a step. Bulk is that of the mean of all rows; peculiar is the root mean square of the rows' own around it, and radial and tangential are its parts along the line from the centroid and across it. Outwards is the mean radial velocity: above 0 the rows fly apart. The correlation is that of velocities so many steps apart: 1 goes on, 0 has forgotten, below 0 turns back.",
      ...linePanels(
        [
          {
            title: "Bulk and peculiar speed",
            y: axis("speed", perStep, { scale: "log" }),
            lines: { [names.bulk]: ({ bulk }) => bulk, [names.peculiar]: ({ peculiar }) => peculiar },
          },
          {
            title: "Parts of the peculiar speed",
            y: axis("speed", perStep, { scale: "log" }),
            lines: { [names.radial]: ({ radial }) => radial, [names.tangential]: ({ tangential }) => tangential },
          },
          { title: "Outwards", y: axis("mean radial velocity", perStep, { zero: true }), lines: { [names.radial]: ({ outwards }) => outwards } },
          {
            title: "How long a motion lasts",
            x: axis("steps apart", null, { scale: "log", ticks: lags.map((at) => ({ at, text: String(at) })) }),
            y: axis("correlation of velocities", null, { zero: true }),
            lines: { [names.bulk]: ({ correlation }) => correlation.bulk, [names.peculiar]: ({ correlation }) => correlation.peculiar },
          },
        ],
        runs,
      ),
    };
  },
});
