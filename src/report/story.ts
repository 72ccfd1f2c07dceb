import type { AnalysisDocument } from "../analysis/analysis-document.js";
import type { Verdict as RunVerdict } from "../analysis/verdict.js";
import type { RunConfig } from "../config/run-config-schema.js";
import type { RunSource } from "../figures/runs/run-figure.js";
import { type Verdict, verdictOf } from "../figures/runs/verdict.js";
import { count, groupDigits } from "../text/format.js";

/** A moment of a training, to be shown by the replay and the cursor of the figures. */
export interface Scene {
  readonly title: string;
  readonly step: number;
  readonly sentences: readonly [string, string];
}

/** The data of a story. */
export interface StoryFacts {
  readonly whereabouts: Verdict;
  /** Black holes and distinct rows of each snapshot. */
  readonly counts: { readonly C: readonly number[]; readonly P: readonly number[]; readonly unique: readonly number[] };
  /** Whether one matrix is embedding and output head. */
  readonly isTied: boolean;
  readonly noise: RunConfig["noise"];
  readonly verdict: RunVerdict;
}

/** The facts of a run, from its files. */
export async function storyFacts(run: RunSource, verdict: RunVerdict): Promise<StoryFacts | undefined> {
  const whereabouts = await verdictOf(run);
  const { timeline }: AnalysisDocument = await run.analysis();
  if (!timeline || timeline.unique.length !== whereabouts.steps.length) return undefined;
  const { model, noise } = run.config;
  return { whereabouts, counts: timeline, isTied: "tie_word_embeddings" in model && model.tie_word_embeddings === true, noise, verdict };
}

/** Five scenes of a training: its start, the first exits, what stays, why, and the verdict with its rule. None for a run that has recorded no step. */
export function storyOf(facts: StoryFacts): Scene[] {
  const { steps } = facts.whereabouts;
  const last = steps.length - 1;
  if (last < 1) return [];
  const half = halfOfExits(facts.whereabouts.counts.liveAlone);
  const stepOf = (state: number) => steps[state] ?? 0;
  return [
    { title: "Start", step: stepOf(0), sentences: start(facts) },
    { title: "First exits", step: stepOf(facts.whereabouts.live.first?.state ?? last), sentences: firstExits(facts) },
    { title: "What stays", step: stepOf(last), sentences: whatStays(facts) },
    { title: "Why", step: stepOf(half), sentences: why(facts) },
    { title: "Verdict and rule", step: stepOf(last), sentences: verdictAndRule(facts) },
  ];
}

/** The first snapshot with at least half of the increase of live tokens that are alone; the last snapshot if there is none. */
function halfOfExits(alone: readonly number[]): number {
  const before = alone[0] ?? 0;
  const most = alone.reduce((one, other) => Math.max(one, other), before);
  return most === before ? alone.length - 1 : alone.findIndex((tokens) => tokens >= before + (most - before) / 2);
}

/** The census of a snapshot in words. */
function censusText({ counts: { C, P } }: StoryFacts, state: number): string {
  return `C = ${groupDigits(C[state] ?? 0)} and P = ${groupDigits(P[state] ?? 0)}`;
}

function start(facts: StoryFacts): Scene["sentences"] {
  const { counts, whereabouts } = facts;
  const { dead, live } = whereabouts;
  const rows = dead.tokens + live.tokens;
  const distinct = counts.unique[0] ?? 0;
  const values = distinct === 1 && rows > 1 ? `all ${groupDigits(rows)} rows are equal` : `${groupDigits(distinct)} of ${groupDigits(rows)} rows are distinct`;
  return [`At step ${groupDigits(whereabouts.steps[0] ?? 0)}, ${values}: ${censusText(facts, 0)}.`, deadAtStart(whereabouts)];
}

function deadAtStart({ dead: { tokens }, live, counts }: Verdict): string {
  if (tokens === 0) return `None of the ${groupDigits(live.tokens)} recorded tokens is dead: all of them occur in the training text.`;
  const together = counts.deadTogether[0] ?? 0;
  if (tokens === 1) return `One token is dead, because it never occurs in the training text; its row is ${together === 1 ? "shared" : "its own"}.`;
  const who =
    together === tokens
      ? "all of them share"
      : together === 0
        ? "none of them shares"
        : together === 1
          ? "one of them shares"
          : `${groupDigits(together)} of them share`;
  return `${groupDigits(tokens)} tokens are dead, because they never occur in the training text; ${who} a row with another token.`;
}

/** When a change was recorded: at a step, or between two recorded ones. */
function when(steps: readonly number[], state: number): string {
  const [before = 0, at = 0] = [steps[state - 1], steps[state]];
  return at - before === 1 ? `At step ${groupDigits(at)}` : `Between steps ${groupDigits(before)} and ${groupDigits(at)}`;
}

function firstExits(facts: StoryFacts): Scene["sentences"] {
  const { steps, live, first: names, last: lastNames } = facts.whereabouts;
  const last = steps.length - 1;
  if (live.first === null || live.last === null) {
    const how =
      live.tokens === 0
        ? "The run recorded no live token."
        : live.everTogether === 0
          ? "No live token is ever in a black hole."
          : "No live token leaves a black hole.";
    return [how, `After step ${groupDigits(steps[last] ?? 0)}, ${censusText(facts, last)}.`];
  }
  const { tokens, state } = live.first;
  const others =
    live.last.state === state
      ? "No live token leaves later."
      : `The last to leave ${live.last.tokens.length === 1 ? "is" : "are"} ${lastNames}, ${lowered(when(steps, live.last.state))}.`;
  return [
    `${when(steps, state)}, the first ${tokens.length === 1 ? "live token leaves" : `${groupDigits(tokens.length)} live tokens leave`} a black hole: ${names}. ${censusText(facts, state)} afterwards.`,
    others,
  ];
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function whatStays(facts: StoryFacts): Scene["sentences"] {
  const { steps, counts, live, nan } = facts.whereabouts;
  const last = steps.length - 1;
  const [dead, alive] = [counts.deadTogether[last] ?? 0, counts.liveTogether[last] ?? 0];
  const alone = (counts.deadAlone[last] ?? 0) + (counts.liveAlone[last] ?? 0);
  const held = [...(dead > 0 ? [count(dead, "dead token")] : []), ...(alive > 0 ? [count(alive, "live token")] : [])].join(" and ");
  const again = live.returned + live.joined > 0 ? `; of the live ones, ${live.returned} returned and ${live.joined} joined` : "";
  const broken = nan === null ? "" : `, of which ${count(nan.rows, "row")} with NaN`;
  return [
    `After step ${groupDigits(steps[last] ?? 0)}, ${censusText(facts, last)}.`,
    dead + alive === 0
      ? `No token shares its row with another: all ${groupDigits(alone)} are alone${broken}.`
      : `In black holes are ${held}${again}; ${groupDigits(alone)} ${alone === 1 ? "token is" : "tokens are"} alone${broken}.`,
  ];
}

function why(facts: StoryFacts): Scene["sentences"] {
  const { isTied, noise, verdict, whereabouts } = facts;
  const { dead } = whereabouts;
  const liveText = "A live token occurs in the text: in each batch that has it, its row gets a gradient of its own.";
  if (dead.tokens < 2 || dead.holes === 0) {
    return [
      liveText,
      noise.epsilon > 0
        ? "This run also adds random noise to every row."
        : "Rows that are different and get different gradients stay different, unless rounding makes them equal.",
    ];
  }
  const gradient = isTied
    ? "A dead token is never an input or a target: it is only one of the wrong answers, so dead tokens with equal rows have equal gradients."
    : "A dead token is never an input, so its row of the embedding gets no gradient, and equal rows are treated alike.";
  const isNoisy = noise.epsilon > 0;
  if (verdict.result === "degenerate") return [gradient, liveText];
  if (verdict.result === "positive") {
    const until = noise.last_step === null ? "after every step" : `up to step ${groupDigits(noise.last_step)}`;
    return [
      gradient,
      isNoisy
        ? `This run adds random noise to every row ${until}, which separates equal rows.`
        : "In exact arithmetic such rows stay equal. This run adds no noise, so rounding or a change by a callback has separated them.",
    ];
  }
  return [
    gradient,
    isNoisy
      ? "This run adds random noise to every row, but they are equal at the end: noise below half the distance to the next number is rounded away."
      : "Equal rows with equal gradients and equal optimizer state get equal updates, so they stay equal in every bit.",
  ];
}

function verdictAndRule({ verdict }: StoryFacts): Scene["sentences"] {
  return [
    `The verdict is ${verdict.result}: ${verdict.reason}.`,
    "Rule: positive if any dead tokens that shared a black hole at the start have parted at the end, null if none have, degenerate if the question has no answer.",
  ];
}
