import type { RecordedRun } from "../../analysis/analysis.js";
import { spreadStates } from "../../analysis/series.js";
import { type History, stepsOf } from "../../formats/history.js";
import { recordedRun } from "../../runs/recorded-run.js";
import { axis, type StepSeries, seriesOf, stackedAreas, stepAxis } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

/** Components to recompute, which takes some seconds. */
const mostComponents = 3_000_000;
const mostSteps = 300;

const movedBy = { moment: "moments alone", decay: "decay alone", either: "either alone", together: "both together" } as const;
const heldBy = { rounding: "rounded away", opposition: "cancelled", nothing: "no update" } as const;
const sizes = { moment: "size of moments", decay: "size of decay", rounding: "size of rounding" } as const;
/** The causes from the bottom of the stack to its top. */
const causes = { ...movedBy, ...heldBy };
type Cause = keyof typeof causes;
const causeNames = Object.keys(causes) as Cause[];
const sizeNames = Object.keys(sizes) as (keyof typeof sizes)[];

interface Ledger {
  readonly steps: readonly number[];
  /** Shares of the components, which add up to 1. */
  readonly shares: Readonly<Record<Cause, readonly number[]>>;
  readonly sizes: Readonly<Record<keyof typeof sizes, StepSeries["values"]>>;
  readonly explained: number;
  readonly components: number;
}

async function read(run: RunSource): Promise<Ledger | Absent> {
  const { tokens, dims } = await run.history();
  const most = Math.max(1, Math.min(mostSteps, Math.floor(mostComponents / (tokens * dims))));
  const recorded = recordedRun(run.directory);
  const found = await requestedAnalysis(run, "adamw", recorded && ofFewSteps(recorded, most));
  if (isAbsent(found)) return found;
  const { steps, explained, components, ...part } = found.part;
  if (steps.length === 0) return { absent: "no two consecutive steps were recorded" };
  const counts: Readonly<Record<Cause, readonly number[]>> = { ...part.movedBy, ...part.heldBy };
  const total = steps.map((_, at) => causeNames.reduce((sum, cause) => sum + (counts[cause][at] ?? 0), 0));
  const share = (cause: Cause) => counts[cause].map((count, at) => count / (total[at] || 1));
  const shares = Object.fromEntries(causeNames.map((cause) => [cause, share(cause)])) as Record<Cause, number[]>;
  return { explained, components, steps, shares, sizes: { moment: part.moment, decay: part.decay, rounding: part.rounding } };
}

/** A view of a run with the gradients of a few evenly spread steps, so that only these are recomputed. */
function ofFewSteps(run: RecordedRun, most: number): RecordedRun {
  const open = async (tensor: string): Promise<History> => {
    const history = await run.open(tensor);
    return tensor === "wte.grad" && history.states > most ? thinned(history, most) : history;
  };
  return Object.create(run, { open: { value: open } }) as RecordedRun;
}

function thinned(history: History, most: number): History {
  const { raw: _, ...whole } = history;
  const states = spreadStates(history.states, most);
  const steps = stepsOf(history);
  return {
    ...whole,
    states: states.length,
    steps: states.map((state) => steps[state] ?? state),
    read(first, count, target) {
      const bytes = target.byteLength / count;
      for (let at = 0; at < count; at++) history.read(states[first + at] ?? 0, 1, target.subarray(at * bytes, (at + 1) * bytes));
    },
    close: () => history.close(),
  };
}

/** Causes of changes of the embedding's components in each step, and the size of each part of the update. */
export const adamwFigure = defineRunFigure({
  name: "adamw",
  overlays: false,
  read,
  describe(runs) {
    const [run] = runs;
    const parts = causeNames.map((cause) => run?.data.shares[cause] ?? []);
    const { explained = 0, components = 0 } = run?.data ?? {};
    const wrong =
      explained < components
        ? ` ${(components - explained).toLocaleString("en")} of ${components.toLocaleString("en")} components differ from their record.`
        : "";
    const { steps = [], sizes: found } = run?.data ?? {};
    // The size of a part has the colour of the cause that it is.
    const lines = sizeNames.map((part) => ({ name: sizes[part], color: causeNames.indexOf(part), values: found?.[part] ?? [] }));
    return {
      title: "Causes of weight changes",
      caption: `Stacked shares of the embedding's components by the cause that moved or held them in a step, from recomputing AdamW's updates. Rounded away: the update is less than half the distance to the next number of the dtype. Cancelled: one part alone would have moved the component, but the other undoes it. On the logarithmic axis, zero is a gap. At most ${mostSteps} steps, evenly spread.${wrong}`,
      series: [
        ...causeNames.map((cause, index) => seriesOf(causes[cause], index)),
        ...lines.map(({ name, color }, index) => ({ ...seriesOf(name, color), dash: index })),
      ],
      panels: [
        {
          title: "Moved or held by",
          x: stepAxis(),
          y: axis("share of the components", null, { domain: [0, 1] }),
          equal: false,
          marks: stackedAreas(steps, parts),
        },
        {
          title: "Parts of an update",
          x: stepAxis(),
          y: axis("mean absolute value", "weights", { scale: "log" }),
          equal: false,
          marks: lines.map(({ values }, index) => ({ mark: "line", series: causeNames.length + index, x: steps, y: values, curve: "straight" })),
        },
      ],
      columns: 2,
    };
  },
});
