import { spreadStates } from "../../analysis/states.js";
import { readState } from "../../formats/history.js";
import { analysedSteps, countAxis, linePanels, overStates, type StepSeries, stepAxis } from "../panels.js";
import { defineRunFigure, type RunSource } from "./run-figure.js";

interface Counted {
  readonly P: StepSeries;
  readonly unique: StepSeries;
  readonly C: StepSeries;
  readonly components?: StepSeries;
}

/** Number of pairs of rows to compare, which takes about a second. */
const maxPairs = 4_000_000;
const mostStates = 250;

async function read(run: RunSource): Promise<Counted> {
  const analysis = await run.analysis();
  const { unique = [], C = [], P = [] } = analysis.timeline ?? {};
  const components = await run.once(componentsOf);
  return {
    P: overStates(analysis, P),
    unique: overStates(analysis, unique),
    C: overStates(analysis, C),
    ...(components && { components }),
  };
}

/** Number of components in as many states as time allows; undefined without a lattice, or if one state takes too long. */
async function componentsOf(run: RunSource): Promise<StepSeries | undefined> {
  const history = await run.history();
  const pairs = (history.tokens * (history.tokens - 1)) / 2;
  const most = Math.min(mostStates, Math.floor(maxPairs / Math.max(1, pairs)));
  if (history.dtype !== "BF16" || most < 2) return undefined;
  const { topology } = await import("../../analysis/topology/topology.js");
  const steps = analysedSteps(await run.analysis());
  const states = stretched(history.states, most);
  const values: number[] = [];
  for (const state of states) values.push((await topology(readState(history, state), { signal: run.scan.signal })).components);
  return { steps: states.map((state) => steps[state] ?? state), values };
}

/** Half of the states evenly spread, half concentrated at the beginning, where most changes happen. */
function stretched(states: number, most: number): number[] {
  if (states <= most) return spreadStates(states, most);
  const half = Math.floor(most / 2);
  const early = Array.from({ length: half }, (_, index) => Math.round(states ** (index / half)) - 1);
  return [...new Set([...early, ...spreadStates(states, half)])].sort((a, b) => a - b);
}

/** Distinct rows, black holes and their tokens after every step. */
export const blackHoles = defineRunFigure({
  name: "black-holes",
  overlays: true,
  read,
  describe: (runs) => ({
    title: "Black holes over the steps",
    caption:
      "A black hole is a value shared by two or more rows of the embedding. Components are connected groups of distinct rows, where neighbours differ by at most one lattice cell in every weight. The step axis is logarithmic in step + 1.",
    ...linePanels(
      [
        {
          title: "Tokens and rows",
          x: stepAxis({ scale: "symlog" }),
          y: countAxis("number"),
          lines: { "tokens in black holes (P)": ({ P }) => P, "distinct rows": ({ unique }) => unique, components: ({ components }) => components },
          curve: "step",
        },
        { title: "Black holes", x: stepAxis({ scale: "symlog" }), y: countAxis("number"), lines: { "black holes (C)": ({ C }) => C }, curve: "step" },
      ],
      runs,
    ),
  }),
});
