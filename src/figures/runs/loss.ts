import { axis, linePanels, type StepSeries } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

interface Losses {
  readonly training: StepSeries;
  readonly heldOut?: StepSeries;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** The losses of a run by step. A resumed run repeats some steps, and the later value counts. */
async function read(run: RunSource): Promise<Losses | Absent> {
  const taken = new Map<number, number | null>();
  const evaluated = new Map<number, number | null>();
  for (const event of run.events()) {
    if (event.type === "step_end") taken.set(event.global_step, finite(event.loss));
    if (event.type === "evaluate") evaluated.set(event.global_step, finite(event.metrics["eval_loss"]));
  }
  if (taken.size === 0) return { absent: "it has taken no step yet" };
  const series = (values: ReadonlyMap<number, number | null>) => ({ steps: [...values.keys()], values: [...values.values()] });
  return { training: series(taken), ...(evaluated.size > 0 && { heldOut: series(evaluated) }) };
}

/** The training loss of every step, and the loss on held-out text if there is one. */
export const loss = defineRunFigure({
  name: "loss",
  overlays: true,
  read,
  describe(runs) {
    const hasEval = runs.some(({ data }) => data.heldOut !== undefined);
    return {
      title: "Loss",
      caption: `Mean cross-entropy of each step's batch${hasEval ? ", and of the held-out text" : ""}.`,
      ...linePanels(
        [{ title: "", y: axis("loss", "nats per token"), lines: { training: ({ training }) => training, "held-out text": ({ heldOut }) => heldOut } }],
        runs,
      ),
    };
  },
});
