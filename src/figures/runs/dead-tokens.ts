import { untrainedTokens } from "../../runner/untrained-tokens.js";
import type { Mark } from "../figure.js";
import { axis, countAxis, linePanels, type StepSeries, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

interface Mass {
  readonly from: string;
  readonly dead: number;
  /** Probability of the dead tokens if all tokens were equally likely. */
  readonly uniform: number;
  readonly series: StepSeries;
}

async function read(run: RunSource): Promise<Mass | Absent> {
  const found = await requestedAnalysis(run, "deadMass");
  if (isAbsent(found)) return found;
  const { from, dead, uniform, steps, mass } = found.part;
  return { from, dead, uniform, series: { steps, values: mass } };
}

/** The probability of tokens that never appear in the text. */
export const deadMass = defineRunFigure({
  name: "dead-mass",
  overlays: true,
  read,
  describe(runs) {
    const described = linePanels(
      [{ title: "", y: axis("probability of the dead tokens", null, { scale: "log" }), lines: { "dead tokens": ({ series }) => series } }],
      runs,
    );
    const shares = [...new Set(runs.map(({ data }) => data.uniform))];
    const alike = shares.map((at): Mark => ({ mark: "rule", axis: "y", at, text: "if all tokens were equally likely" }));
    const sources = [...new Set(runs.map(({ data }) => data.from))];
    return {
      title: "Probability of dead tokens",
      caption: `Total probability of the tokens that never appear in the text, from the softmax of ${sources.map((from) => (from === "logits.mean" ? "a step's mean logits" : "the logits of a step's mean hidden state")).join(", or ")}.`,
      ...described,
      panels: described.panels.map((panel) => ({ ...panel, marks: [...panel.marks, ...alike] })),
    };
  },
});

/** The tokens of a run that never trained, found once for figure and report. */
export function untrainedTokensOf(run: RunSource): ReturnType<typeof untrainedTokens> {
  return run.once(({ directory, scan }) => untrainedTokens(directory, scan));
}

const labels = {
  norm: "‖row‖₂",
  cosine: "cosine distance",
  cosineCentred: "cosine distance of centred rows",
  cosineWithoutPc1: "cosine distance without PC1",
  l2: "distance",
};

/** How far each row is from the mean row of tokens that are known to be unused. */
export const untrained = defineRunFigure({
  name: "untrained",
  overlays: false,
  async read(run: RunSource) {
    const { histogram, threshold } = await untrainedTokensOf(run);
    return histogram.edges.length > 0 ? { histogram, threshold } : { absent: "none of its rows is finite" };
  },
  describe([run]) {
    const { histogram, threshold } = run?.data ?? {};
    const { edges = [], unused = [], others = [], indicator = "cosine" } = histogram ?? {};
    const marks: Mark[] = [
      { mark: "bins", series: 0, edges, counts: others },
      { mark: "bins", series: 1, edges, counts: unused },
      ...(threshold ? [{ mark: "rule" as const, axis: "x" as const, at: threshold.value, text: "threshold" }] : []),
    ];
    return {
      title: "Rows like those of unused tokens",
      caption: `Indicator ${indicator} of Land and Bartolo (arXiv 2405.05417) of every row of the last snapshot. Rows up to the threshold look as if they had never been trained.`,
      series: [seriesOf("other tokens", 0), seriesOf("unused tokens", 1)],
      panels: [{ title: "", x: axis(labels[indicator]), y: countAxis("rows"), equal: false, marks }],
      columns: 1,
    };
  },
});
