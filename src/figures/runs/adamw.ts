import type { RecordedRun } from "../../analysis/analysis.js";
import { spreadStates } from "../../analysis/states.js";
import { type History, stepsOf } from "../../formats/history.js";
import { recordedRun } from "../../runs/recorded-run.js";
import { axis, type LinePanel, linePanels, type StepSeries } from "../panels.js";
import { type Absent, defineRunFigure, isAbsent, type RunSource, requestedAnalysis } from "./run-figure.js";

/** Components to recompute, which takes some seconds. */
const mostComponents = 3_000_000;
const mostSteps = 300;

const movedBy = { moment: "moments alone", decay: "decay alone", either: "either alone", together: "both together" } as const;
const heldBy = { rounding: "rounded away", opposition: "cancelled", nothing: "no update" } as const;
const sizes = { moment: "size of moments", decay: "size of decay", rounding: "size of rounding" } as const;

interface Ledger {
  /** Shares of the components. */
  readonly movedBy: Readonly<Record<keyof typeof movedBy, StepSeries>>;
  readonly heldBy: Readonly<Record<keyof typeof heldBy, StepSeries>>;
  readonly sizes: Readonly<Record<keyof typeof sizes, StepSeries>>;
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
  const total = steps.map((_, at) => [...Object.values(part.movedBy), ...Object.values(part.heldBy)].reduce((sum, counts) => sum + (counts[at] ?? 0), 0));
  const share = (counts: readonly number[]) => ({ steps, values: counts.map((count, at) => count / (total[at] || 1)) });
  const size = (values: StepSeries["values"]) => ({ steps, values });
  return {
    explained,
    components,
    movedBy: {
      moment: share(part.movedBy.moment),
      decay: share(part.movedBy.decay),
      either: share(part.movedBy.either),
      together: share(part.movedBy.together),
    },
    heldBy: { rounding: share(part.heldBy.rounding), opposition: share(part.heldBy.opposition), nothing: share(part.heldBy.nothing) },
    sizes: { moment: size(part.moment), decay: size(part.decay), rounding: size(part.rounding) },
  };
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

/** One line per entry of a part of the ledger. */
function linesOf<Key extends string>(
  words: Readonly<Record<Key, string>>,
  of: (ledger: Ledger) => Readonly<Record<Key, StepSeries>>,
): LinePanel<Ledger>["lines"] {
  return Object.fromEntries((Object.keys(words) as Key[]).map((key) => [words[key], (ledger: Ledger) => of(ledger)[key]]));
}

/** Causes of changes of the embedding's components in each step, and the size of each part of the update. */
export const adamwFigure = defineRunFigure({
  name: "adamw",
  overlays: false,
  read,
  describe(runs) {
    const [run] = runs;
    const { explained = 0, components = 0 } = run?.data ?? {};
    const wrong =
      explained < components
        ? ` ${(components - explained).toLocaleString("en")} of ${components.toLocaleString("en")} components differ from their record.`
        : "";
    return {
      title: "Causes of weight changes",
      caption: `Shares of the embedding's components by the cause that moved or held them in a step, from recomputing AdamW's updates. Rounded away: the update is less than half the distance to the next number of the dtype. Cancelled: one part alone would have moved the component, but the other undoes it. On the logarithmic axes, zero is a gap. At most ${mostSteps} steps, evenly spread.${wrong}`,
      ...linePanels(
        [
          { title: "Moved by", y: axis("share of the components", null, { scale: "log" }), lines: linesOf(movedBy, (ledger) => ledger.movedBy) },
          { title: "Held by", y: axis("share of the components", null, { scale: "log" }), lines: linesOf(heldBy, (ledger) => ledger.heldBy) },
          { title: "Parts of an update", y: axis("mean absolute value", "weights", { scale: "log" }), lines: linesOf(sizes, (ledger) => ledger.sizes) },
        ],
        runs,
      ),
    };
  },
});
