import { seriesLabels } from "../../analysis/analyses.js";
import { census } from "../../analysis/census/census.js";
import { spreadStates } from "../../analysis/series.js";
import { readState, stepsOf } from "../../formats/history.js";
import { recordedRun } from "../../runs/recorded-run.js";
import { quotedToken, tokenName, tokenNameLegend } from "../../text/names.js";
import type { Mark, Panel } from "../figure.js";
import { analysedSteps, axis, countAxis, linePanels, overStates, type StepSeries, seriesOf, stepAxis } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

interface Counted {
  readonly P: StepSeries;
  readonly unique: StepSeries;
  readonly C: StepSeries;
  readonly components?: StepSeries;
  /** Whether the components were counted in some states only. */
  readonly isSampled: boolean;
}

/** Dots instead of a line: between states where components were counted, their number is unknown. */
function dotted({ series, x, y }: Mark & { mark: "line" }): Mark {
  const known = x.flatMap((step, at) => (y[at] === null || y[at] === undefined ? [] : [{ step, value: y[at] }]));
  return { mark: "dots", series, x: known.map(({ step }) => step), y: known.map(({ value }) => value), radius: known.map(() => 2) };
}

/** Number of pairs of rows to compare, which takes about a second. */
const maxPairs = 4_000_000;
const mostStates = 250;

async function readCounts(run: RunSource): Promise<Counted> {
  const analysis = await run.analysis();
  const { unique = [], C = [], P = [] } = analysis.timeline ?? {};
  const components = await run.once(componentsOf);
  return {
    P: overStates(analysis, P),
    unique: overStates(analysis, unique),
    C: overStates(analysis, C),
    ...(components && { components }),
    isSampled: components !== undefined && components.steps.length < P.length,
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
  read: readCounts,
  describe(runs) {
    const described = linePanels(
      [
        {
          title: "Tokens and rows",
          x: stepAxis({ scale: "symlog" }),
          y: countAxis("number"),
          lines: { [seriesLabels.P]: ({ P }) => P, [seriesLabels.unique]: ({ unique }) => unique, components: ({ components }) => components },
          curve: "step",
        },
        { title: "Black holes", x: stepAxis({ scale: "symlog" }), y: countAxis("number"), lines: { [seriesLabels.C]: ({ C }) => C }, curve: "step" },
      ],
      runs,
    );
    const counted = runs.find(({ data }) => data.isSampled)?.data.components?.steps.length;
    const sampled = new Set(runs.flatMap(({ data }) => (data.isSampled ? [data.components?.steps] : [])));
    return {
      title: "Black holes over the steps",
      caption: `A black hole is a value shared by two or more rows of the embedding. Components are connected groups of distinct rows, where neighbours differ by at most one lattice cell in every weight.${counted === undefined ? "" : ` They are counted in ${counted} snapshots, half of them early ones, and each is a dot.`} The step axis is logarithmic in step + 1.`,
      ...described,
      panels: described.panels.map((panel) => ({
        ...panel,
        marks: panel.marks.map((mark) => (mark.mark === "line" && sampled.has(mark.x) ? dotted(mark) : mark)),
      })),
    };
  },
});

/** Maximum number of bars. */
const maxBars = 16;
interface Populations {
  readonly step: number;
  readonly holes: readonly { readonly population: number; readonly members: readonly string[] }[];
}

async function readPopulations(run: RunSource): Promise<Populations | Absent> {
  const { finalCensus, states, steps } = await run.analysis();
  const { populations, members = [], texts = [] } = finalCensus;
  if (populations.length === 0) return { absent: "its last snapshot has no black hole" };
  const holes = populations.map((population, hole) => ({
    population,
    members: (members[hole] ?? []).map((token, index) => tokenName(token, texts[hole]?.[index])),
  }));
  return { step: steps?.at(-1) ?? states - 1, holes };
}

/** The black holes of the last state as bars, with the tokens in them. */
export const populations = defineRunFigure({
  name: "populations",
  overlays: false,
  read: readPopulations,
  describe([run]) {
    const { step = 0, holes = [] } = run?.data ?? {};
    const told = holes.slice(0, maxBars);
    const rest = holes.length > told.length ? ` ${holes.length - told.length} smaller ones are omitted.` : "";
    const values = told.map(({ population }) => population);
    return {
      title: `Black holes after step ${step.toLocaleString("en")}`,
      caption: `Tokens in each black hole, largest first, with its members: ${tokenNameLegend}.${rest}`,
      series: [seriesOf("", 0)],
      panels: [
        {
          title: "",
          x: axis("tokens", null, { domain: [0, 2 * Math.max(1, ...values)] }),
          y: axis("black hole", null, { scale: "category" }),
          equal: false,
          marks: [
            {
              mark: "bars",
              series: 0,
              names: told.map((_, hole) => `#${hole + 1}`),
              values,
              notes: told.map(({ population, members }) => `${population}:  ${members.join(" ")}`),
            },
          ],
        },
      ],
      columns: 1,
    };
  },
});

interface MeanLogit {
  readonly value: number;
  readonly token: string;
  readonly dead: boolean;
}

/** Mean logits of the first recorded step after each given step, or of the last one, in descending order; empty if they were not recorded. */
export async function meanLogits(run: RunSource, steps: readonly number[]): Promise<readonly (readonly MeanLogit[])[]> {
  const recorded = recordedRun(run.directory);
  if (!recorded?.tensors.includes("logits.mean")) return steps.map(() => []);
  const history = await recorded.open("logits.mean");
  try {
    const dead = new Set(recorded.deadTokens);
    const { rowTokens } = await run.history();
    const recordedSteps = stepsOf(history);
    return steps.map((step) => {
      const after = recordedSteps.findIndex((each) => each > step);
      const values = readState(history, after < 0 ? history.states - 1 : after).toFloat32();
      return [...values]
        .flatMap((value, row): MeanLogit[] => {
          const token = history.rowTokens.ofRow(row);
          return Number.isFinite(value) ? [{ value, token: tokenName(token, rowTokens.text?.(token)), dead: dead.has(token) }] : [];
        })
        .sort((left, right) => right.value - left.value);
    });
  } finally {
    history.close();
  }
}

/** So few populations need no curve. */
const fewHoles = 3;

function hasManyHoles(ranks: readonly Ranks[]): boolean {
  return ranks.some(({ populations: of }) => of.length > fewHoles);
}

interface Ranks {
  readonly step: number;
  /** Descending. */
  readonly populations: readonly number[];
  /** Mean logits of the next step, in descending order; empty if they were not recorded. */
  readonly logits: readonly MeanLogit[];
}

async function readRanks(run: RunSource): Promise<readonly Ranks[] | Absent> {
  const history = await run.history();
  const analysis = await run.analysis();
  const C = analysis.timeline?.C ?? [];
  const steps = analysedSteps(analysis);
  const most = C.indexOf(C.reduce((highest, holes) => Math.max(highest, holes), 0));
  const states = [...new Set([0, Math.max(0, most), history.states - 1])];
  const stepsOfStates = states.map((state) => steps[state] ?? state);
  const logits = await meanLogits(run, stepsOfStates);
  const ranks = states.map((state, index) => ({
    step: stepsOfStates[index] ?? state,
    populations: census(readState(history, state)).populations,
    logits: logits[index] ?? [],
  }));
  const told = ranks.filter(({ populations, logits: recorded }) => populations.length > 0 || recorded.length > 0);
  return told.length > 0 ? told : { absent: "none of its snapshots has a black hole" };
}

/** Populations of black holes by rank, and mean logits of tokens by rank, at three moments. */
export const rankCurve = defineRunFigure({
  name: "rank-curve",
  overlays: false,
  read: readRanks,
  omits: (ranks) =>
    hasManyHoles(ranks) || ranks.some(({ logits }) => logits.length > 0) ? null : `omitted by default, as there are never more than ${fewHoles} black holes`,
  describe([run]) {
    const ranks = run?.data ?? [];
    const hasLogits = ranks.some(({ logits }) => logits.length > 0);
    const hasHoles = hasLogits ? hasManyHoles(ranks) : ranks.some(({ populations }) => populations.length > 0);
    return {
      title: hasLogits ? "Populations and logits by rank" : "Populations of black holes by rank",
      caption: `Tokens in each black hole, largest first: in the first snapshot, in the one with the most black holes, and in the last.${hasLogits ? " Mean logits of the tokens, largest first, in the step after each of these snapshots, or in the last step; small marks are dead tokens, which never appear in the text." : ""}`,
      series: ranks.map(({ step }, index) => seriesOf(`step ${step.toLocaleString("en")}`, index)),
      panels: [...(hasHoles ? [populationPanel(ranks, hasLogits)] : []), ...(hasLogits ? [logitPanel(ranks)] : [])],
      columns: hasHoles && hasLogits ? 2 : 1,
    };
  },
});

function populationPanel(ranks: readonly Ranks[], isOneOfTwo: boolean): Panel {
  const longest = ranks.reduce((most, { populations }) => Math.max(most, populations.length), 1);
  return {
    title: isOneOfTwo ? "Populations of black holes" : "",
    x: axis("rank", null, {
      scale: longest > 10 ? "log" : "linear",
      domain: longest > 10 ? null : [0.5, longest + 0.5],
      ticks: longest > 10 ? null : wholeTicks(longest),
    }),
    y: axis("tokens", null, { scale: "log" }),
    equal: false,
    marks: ranks.flatMap(({ populations }, series): Mark[] => {
      const x = populations.map((_, index) => index + 1);
      return [
        { mark: "line", series, x, y: populations, curve: "straight" },
        { mark: "dots", series, x, y: populations },
      ];
    }),
  };
}

function logitPanel(ranks: readonly Ranks[]): Panel {
  return {
    title: "Mean logits",
    x: axis("rank"),
    y: axis("mean logit", "nats"),
    equal: false,
    marks: ranks.flatMap(({ logits }, series): Mark[] => {
      const ranked = logits.map((logit, index) => ({ ...logit, rank: index + 1 }));
      const dead = ranked.filter((logit) => logit.dead);
      return [
        { mark: "line", series, x: ranked.map(({ rank }) => rank), y: ranked.map(({ value }) => value), curve: "straight" },
        {
          mark: "dots",
          series,
          x: dead.map(({ rank }) => rank),
          y: dead.map(({ value }) => value),
          radius: dead.map(() => 2),
          names: dead.map(({ token, rank }) => `${quotedToken(token)}, rank ${rank}`),
        },
      ];
    }),
  };
}

function wholeTicks(last: number): { at: number; text: string }[] {
  return Array.from({ length: last }, (_, index) => ({ at: index + 1, text: String(index + 1) }));
}
