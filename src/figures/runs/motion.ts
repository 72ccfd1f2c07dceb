import { seriesLabels } from "../../analysis/analyses.js";
import { distance } from "../../analysis/geometry/centroid.js";
import type { Axis } from "../figure.js";
import { analysedSteps, axis, type LinePanel, linePanels, overMoves, overStates, type StepBand, type StepSeries } from "../panels.js";
import { followedRows, motionPath, quantileShares } from "./motion-path.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

/** The norms of the tokens' moves: maximum, median, and the range of most of them. */
interface Moves {
  readonly max: StepSeries;
  readonly median: StepSeries;
  readonly range: StepBand;
}

interface Displaced {
  readonly centroid: StepSeries;
  readonly weight?: Moves;
  readonly lattice?: Moves;
  /** Number of tokens whose moves are followed, and of all tokens. */
  readonly followed: number;
  readonly tokens: number;
}

async function readDisplacement(run: RunSource): Promise<Displaced> {
  const analysis = await run.analysis();
  const path = await motionPath(run);
  const moves = (of: "weight" | "lattice"): Moves | undefined => {
    const norms = analysis.motion?.[of];
    const quantiles = path[of];
    if (!norms || !quantiles) return undefined;
    const max = overMoves(analysis, norms.maxL2);
    const quantile = (index: number) => max.steps.map((_, move) => finite(quantiles[move * quantileShares.length + index]));
    return { max, median: { steps: max.steps, values: quantile(1) }, range: { steps: max.steps, low: quantile(0), high: quantile(2) } };
  };
  const [weight, lattice] = [moves("weight"), moves("lattice")];
  return {
    centroid: overStates(analysis, displacements(path.centroids, analysis.dims)),
    ...(weight && { weight }),
    ...(lattice && { lattice }),
    followed: followedRows(analysis.tokens).length,
    tokens: analysis.tokens,
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

const medianName = "median and range of the tokens";

function movesPanel(title: string, y: Axis, of: "weight" | "lattice"): LinePanel<Displaced> {
  return {
    title,
    y,
    lines: { [medianName]: (data) => data[of]?.median, "largest of a token": (data) => data[of]?.max },
    bands: { [medianName]: (data) => data[of]?.range },
  };
}

/** Distance of each state's centroid from the first. */
function displacements(centroids: Float64Array, dims: number): (number | null)[] {
  return Array.from({ length: centroids.length / dims }, (_, state) => {
    const moved = distance(centroids.subarray(state * dims, (state + 1) * dims), centroids.subarray(0, dims));
    return Number.isFinite(moved) ? moved : null;
  });
}

/** Displacement of the centroid, and motion of the tokens in each step, in weights and in lattice cells. */
export const displacement = defineRunFigure({
  name: "displacement",
  overlays: true,
  read: readDisplacement,
  describe(runs) {
    const few = runs.find(({ data }) => data.followed < data.tokens)?.data;
    const of = few ? ` of ${few.followed.toLocaleString("en")} of the ${few.tokens.toLocaleString("en")} tokens, evenly spread` : "";
    return {
      title: "Displacement and motion",
      caption: `Displacement: distance of the centroid from its initial position. ΔW: L2 norm of a token's move in a step. ΔW′: the same in lattice cells (ULPs). The range is that from the 10th to the 90th percentile${of}. On the logarithmic axes, a step without motion is a gap.`,
      ...linePanels(
        [
          { title: "Displacement", y: axis("distance", "weights", { scale: "log" }), lines: { [seriesLabels.displacement]: ({ centroid }) => centroid } },
          movesPanel("ΔW of a step", axis("‖ΔW‖₂", "weights", { scale: "log" }), "weight"),
          movesPanel("ΔW′ of a step", axis("‖ΔW′‖₂", "lattice cells", { scale: "log" }), "lattice"),
        ],
        runs,
      ),
    };
  },
});

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

async function readVelocities(run: RunSource): Promise<Velocities | Absent> {
  const found = await requestedAnalysis(run, "kinematics");
  if (isAbsent(found)) return found;
  const { bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed, autocorrelation } = found.part;
  const steps = analysedSteps(found.document).slice(1);
  // Rows at the centroid have no direction, as all of them at the start of a training from one shared row.
  const isDirected = (move: number) => peculiarSpeed[move] === 0 || (radialSpeed[move] ?? 0) > 0 || (tangentialSpeed[move] ?? 0) > 0;
  const directed = (values: StepSeries["values"]) => ({ steps, values: values.map((value, move) => (isDirected(move) ? value : null)) });
  return {
    bulk: { steps, values: bulkSpeed },
    peculiar: { steps, values: peculiarSpeed },
    radial: directed(radialSpeed),
    tangential: directed(tangentialSpeed),
    outwards: directed(radial),
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
  read: readVelocities,
  describe(runs) {
    const lags = [...new Set(runs.flatMap(({ data }) => data.correlation.bulk.steps))];
    return {
      title: "Bulk and peculiar motion",
      caption:
        "Velocities are moves per step. Bulk: velocity of the mean row. Peculiar: root mean square velocity of the rows relative to it, with its parts along the line from the centroid (radial) and across it (tangential). Outwards: mean radial velocity; above 0, rows move apart. A step from one shared row has no such directions and is a gap. Correlation of velocities by the steps between them: 1 keeps its direction, 0 is random, below 0 reverses.",
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
