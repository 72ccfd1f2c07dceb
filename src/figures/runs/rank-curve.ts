import { census } from "../../analysis/census/census.js";
import { readState, stepsOf } from "../../formats/history.js";
import { recordedRun } from "../../runs/recorded-run.js";
import { tokenName } from "../../text/names.js";
import type { Mark, Panel } from "../figure.js";
import { analysedSteps, axis, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

/** The mean logit of a token. */
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

interface Ranks {
  readonly step: number;
  /** Descending. */
  readonly populations: readonly number[];
  /** Mean logits of the next step, in descending order; empty if they were not recorded. */
  readonly logits: readonly MeanLogit[];
}

async function read(run: RunSource): Promise<readonly Ranks[] | Absent> {
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
  read,
  describe([run]) {
    const ranks = run?.data ?? [];
    const hasLogits = ranks.some(({ logits }) => logits.length > 0);
    const hasHoles = ranks.some(({ populations }) => populations.length > 0);
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
          names: dead.map(({ token, rank }) => `${token}, rank ${rank}`),
        },
      ];
    }),
  };
}

function wholeTicks(last: number): { at: number; text: string }[] {
  return Array.from({ length: last }, (_, index) => ({ at: index + 1, text: String(index + 1) }));
}
