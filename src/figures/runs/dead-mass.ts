import type { Mark } from "../figure.js";
import { axis, linePanels, type StepSeries } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

interface Mass {
  readonly from: string;
  readonly dead: number;
  /** What the dead tokens would have if all tokens were alike. */
  readonly uniform: number;
  readonly series: StepSeries;
}

async function read(run: RunSource): Promise<Mass | Absent> {
  const found = await requestedAnalysis(run, "deadMass");
  if (isAbsent(found)) return found;
  const { from, dead, uniform, steps, mass } = found.part;
  return { from, dead, uniform, series: { steps, values: mass } };
}

/** The probability that the model gives to tokens that the text never has. */
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
    const alike = shares.map((at): Mark => ({ mark: "rule", axis: "y", at, text: "if all tokens were alike" }));
    const sources = [...new Set(runs.map(({ data }) => data.from))];
    return {
      schema: "bh-bridge/figure@1",
      name: "dead-mass",
      title: "Probability of dead tokens",
      caption: `What the tokens that the text never has get together, by the softmax ${sources.map((from) => (from === "logits.mean" ? "of the mean logits of a step" : "of the logits of the mean hidden state of a step")).join(", or ")}.`,
      ...described,
      panels: described.panels.map((panel) => ({ ...panel, marks: [...panel.marks, ...alike] })),
    };
  },
});
