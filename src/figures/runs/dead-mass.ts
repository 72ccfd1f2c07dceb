import type { Mark } from "../figure.js";
import { axis, linePanels, type StepSeries } from "../panels.js";
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
