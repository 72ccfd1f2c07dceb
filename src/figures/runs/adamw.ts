import type { RecordedRun } from "../../analysis/recorded-run.js";
import { spreadStates } from "../../analysis/spread-states.js";
import type { History } from "../../formats/history.js";
import { stepsOf } from "../../formats/state-of-step.js";
import { recordedRun } from "../../runs/recorded-run.js";
import { axis } from "../axes.js";
import { linePanels, type QuantitySeries } from "../line-panels.js";
import { requestedAnalysis } from "./requested-analysis.js";
import { type Absent, defineRunFigure, isAbsent } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

/** Components that are computed again: some seconds' work. */
const mostComponents = 3_000_000;
const mostSteps = 300;

const movedBy = { moment: "moments alone", decay: "decay alone", either: "either alone", together: "both together" } as const;
const heldBy = { rounding: "rounded away", opposition: "taken back", nothing: "nothing to move it" } as const;
const sizes = { moment: "size of moments", decay: "size of decay", rounding: "size of rounding" } as const;

interface Ledger {
  readonly series: QuantitySeries;
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
  if (steps.length === 0) return { absent: "no two steps that follow each other were recorded" };
  const total = steps.map((_, at) => [...Object.values(part.movedBy), ...Object.values(part.heldBy)].reduce((sum, counts) => sum + (counts[at] ?? 0), 0));
  const share = (counts: readonly number[]) => ({ steps, values: counts.map((count, at) => count / (total[at] || 1)) });
  const named = <Key extends string>(words: Readonly<Record<Key, string>>, what: string, of: (key: Key) => QuantitySeries[string]) =>
    Object.entries<string>(words).map(([key, word]) => [`${what}, ${word}`, of(key as Key)] as const);
  return {
    explained,
    components,
    series: Object.fromEntries([
      ...named(movedBy, "moved", (key) => share(part.movedBy[key])),
      ...named(heldBy, "held", (key) => share(part.heldBy[key])),
      ...named(sizes, "size", (key) => ({ steps, values: part[key] })),
    ]),
  };
}

/** A run as if it had recorded the gradients of a few steps alone, evenly spread: others are not computed again. */
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

function linesOf(words: Readonly<Record<string, string>>, what: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.values(words).map((word) => [word, `${what}, ${word}`]));
}

/** What moved the components of the embedding in each step, what held those that stayed, and how large each part of the update is. */
export const adamwFigure = defineRunFigure({
  name: "adamw",
  overlays: false,
  read,
  describe(runs) {
    const [run] = runs;
    const { explained = 0, components = 0 } = run?.data ?? {};
    const wrong =
      explained < components
        ? ` ${(components - explained).toLocaleString("en")} of ${components.toLocaleString("en")} components do not come out as recorded.`
        : "";
    return {
      schema: "bh-bridge/figure@1",
      name: "adamw",
      title: "What moves and what holds the weights",
      caption: `Shares of the embedding's components by what moved them in a step, or held them, as AdamW's update computed again tells. Rounded away is what is less than half of the distance to the next number of the dtype; taken back, what one part would have moved alone and the other undoes. The vertical axes are logarithmic: none is a gap. At most ${mostSteps} steps, evenly spread.${wrong}`,
      ...linePanels(
        [
          { title: "Moved by", y: axis("share of the components", null, { scale: "log" }), quantities: linesOf(movedBy, "moved") },
          { title: "Held by", y: axis("share of the components", null, { scale: "log" }), quantities: linesOf(heldBy, "held") },
          { title: "Parts of an update", y: axis("mean absolute value", "weights", { scale: "log" }), quantities: linesOf(sizes, "size") },
        ],
        runs.map(({ data, ...each }) => ({ ...each, data: data.series })),
      ),
    };
  },
});
