import { analysedSteps, axis, linePanels, type StepSeries } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

const names = { bulk: "bulk: mean row", peculiar: "peculiar: relative to it", radial: "radial", tangential: "tangential" } as const;
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

/** Motion of the mean row and relative to it, its directions, and its persistence. */
export const kinematics = defineRunFigure({
  name: "kinematics",
  overlays: true,
  read,
  describe(runs) {
    const lags = [...new Set(runs.flatMap(({ data }) => data.correlation.bulk.steps))];
    return {
      title: "Bulk and peculiar motion",
      caption:
        "Velocities are moves per step. Bulk: velocity of the mean row. Peculiar: root mean square velocity of the rows relative to it, with its parts along the line from the centroid (radial) and across it (tangential). Outwards: mean radial velocity; above 0, rows move apart. Correlation of velocities by the steps between them: 1 keeps its direction, 0 is random, below 0 reverses.",
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
            title: "Persistence of motion",
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
