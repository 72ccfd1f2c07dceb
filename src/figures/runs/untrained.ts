import { untrainedTokens } from "../../runner/untrained-tokens.js";
import type { Mark } from "../figure.js";
import { axis, countAxis, seriesOf } from "../panels.js";
import { defineRunFigure, type RunSource } from "./run-figure.js";

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
