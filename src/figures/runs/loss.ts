import { axis, stepAxis } from "../axes.js";
import type { Mark } from "../figure.js";
import { styledSeries } from "../styled-series.js";
import { type Absent, defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

interface Losses {
  readonly steps: readonly number[];
  readonly loss: readonly (number | null)[];
  /** Of the held-out text; empty where there is none. */
  readonly evalSteps: readonly number[];
  readonly evalLoss: readonly (number | null)[];
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

async function read(run: RunSource): Promise<Losses | Absent> {
  const events = run.events();
  const taken = new Map<number, number | null>(); // a resumed run tells some steps twice
  const evaluated = new Map<number, number | null>();
  for (const event of events) {
    if (event.type === "step_end") taken.set(event.global_step, finite(event.loss));
    if (event.type === "evaluate") evaluated.set(event.global_step, finite(event.metrics["eval_loss"]));
  }
  if (taken.size === 0) return { absent: "it has taken no step yet" };
  return { steps: [...taken.keys()], loss: [...taken.values()], evalSteps: [...evaluated.keys()], evalLoss: [...evaluated.values()] };
}

/** The training loss of every step, and the loss on held-out text where there is one. */
export const loss = defineRunFigure({
  name: "loss",
  overlays: true,
  read,
  describe(runs) {
    const hasEval = runs.some(({ data }) => data.evalSteps.length > 0);
    const quantities = hasEval ? ["training", "held-out text"] : ["training"];
    const series = styledSeries(
      quantities,
      runs.map(({ label }) => label),
    );
    const marks = runs.flatMap(({ data: { steps, loss: values, evalSteps, evalLoss } }, run): Mark[] => [
      { mark: "line", series: run * quantities.length, x: steps, y: values, curve: "straight" },
      ...(evalSteps.length > 0 ? [{ mark: "line" as const, series: run * quantities.length + 1, x: evalSteps, y: evalLoss, curve: "straight" as const }] : []),
    ]);
    return {
      schema: "bh-bridge/figure@1",
      name: "loss",
      title: "Loss",
      caption: `Mean cross-entropy of each step's batch${hasEval ? ", and of the held-out text" : ""}; nothing is smoothed.`,
      sources: runs.map(({ source }) => source),
      series,
      panels: [{ title: "", x: stepAxis(), y: axis("loss", "nats per token"), equal: false, marks }],
      columns: 1,
    };
  },
});
