import type { History } from "../formats/history.js";
import type { Matrix } from "../formats/matrix.js";
import type { RowTokens } from "../formats/row-tokens.js";
import { count } from "../text/format.js";
import { census } from "./census/census.js";
import { nonfiniteTokens } from "./elements.js";
import type { ScanOptions } from "./scan/observation.js";
import { scanHistory } from "./scan/scan-history.js";
import type { Sightings } from "./scan/state-scanner.js";

/**
 * Why an analysis of a history would mean nothing:
 * every weight is 0 in every state; no weight changes in any step; no weight is finite in any state.
 */
export const degeneracies = ["all-zero", "never-moved", "nothing-finite"] as const;

export type Degeneracy = (typeof degeneracies)[number];

/** Each reason in words. */
export const degeneracyExplanations: Readonly<Record<Degeneracy, string>> = {
  "all-zero": "every weight is 0 in every state",
  "never-moved": "no weight changed in any step",
  "nothing-finite": "no weight is finite",
};

/** Whether a history can be scored. */
export interface Soundness {
  /** What makes it unfit; empty when it is sound. A history of one state has never moved. */
  readonly degenerate: readonly Degeneracy[];
  /** Tokens with NaN or infinity in some state, ascending. */
  readonly nonfiniteTokens: readonly number[];
}

/** The soundness that a scan's sightings amount to. */
export function soundnessOf({ nonzero, finite, moved, nonfiniteTokens }: Sightings, rowTokens: RowTokens): Soundness {
  const degenerate: Degeneracy[] = [];
  if (!nonzero) degenerate.push("all-zero");
  if (!moved) degenerate.push("never-moved");
  if (!finite) degenerate.push("nothing-finite");
  const rows = Array.from(nonfiniteTokens, (flag, row) => (flag ? row : -1)).filter((row) => row >= 0);
  return { degenerate, nonfiniteTokens: rowTokens.ofRows(rows) };
}

/**
 * Whether a history can be scored: all-zero, never-moved and nothing-finite ones are named.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function soundness(history: History, options: ScanOptions = {}): Promise<Soundness> {
  const { sightings } = await scanHistory(history, [], options);
  return soundnessOf(sightings, history.rowTokens);
}

/** The dead tokens of one black hole of the start, and where they are at the end. */
interface DeadHole {
  /** Two or more, ascending. */
  readonly tokens: readonly number[];
  /** How many of them are in each black hole of the end, descending; live tokens may be in it too. */
  readonly together: readonly number[];
  /** How many of them share their row with no other token at the end. */
  readonly alone: number;
}

/** Whether the dead tokens of a black hole are no longer in one. */
export function hasParted({ together, alone }: DeadHole): boolean {
  return together.length + alone > 1;
}

/**
 * What became of the black holes of dead tokens that a training began with. A black hole with fewer than two dead tokens is none of these.
 *
 * @param initial the embedding before training.
 * @param final the embedding at the end, of the same tokens.
 * @param deadTokens those that have a row.
 */
export function deadHoles(initial: Matrix, final: Matrix, deadTokens: readonly number[]): DeadHole[] {
  const holeOf = new Map(census(final).members.flatMap((members, hole) => members.map((token) => [token, hole])));
  return census(initial, deadTokens).members.map((tokens) => {
    const counts = new Map<number, number>();
    for (const token of tokens) {
      const hole = holeOf.get(token);
      if (hole !== undefined) counts.set(hole, (counts.get(hole) ?? 0) + 1);
    }
    const together = [...counts.values()].sort((a, b) => b - a);
    return { tokens, together, alone: tokens.length - together.reduce((sum, count) => sum + count, 0) };
  });
}

/** What a training says about the question: did dead tokens that were in one black hole at the start part? */
export interface Verdict {
  readonly result: "null" | "positive" | "degenerate";
  /** The counts that decided, in one sentence. */
  readonly reason: string;
}

export interface VerdictInput {
  /** The embedding before training, `[tokens, dims]`; of chosen tokens alone, where these were recorded. */
  readonly initial: Matrix;
  /** The embedding at the end, of the same tokens. */
  readonly final: Matrix;
  /** Tokens of the vocabulary that never appear in the corpus; those without a row are passed over. */
  readonly deadTokens: readonly number[];
  /** What makes the history unfit to be scored; empty when it is sound. */
  readonly degenerate: readonly Degeneracy[];
}

/** A sentence can tell of so many black holes. */
const maxHolesTold = 3;

/** Why the question has no answer; nothing when it has one. */
function obstacles({ final, degenerate }: VerdictInput, dead: readonly number[], holes: readonly DeadHole[]): string[] {
  const found = degenerate.map((name) => degeneracyExplanations[name]);
  const broken = nonfiniteTokens(final).length;
  if (broken > 0) found.push(`the weights of ${broken} of ${count(final.rows, "token")} are not finite at the end`);
  if (dead.length < 2) found.push(`${dead.length === 0 ? "none" : "only one"} of the ${count(final.rows, "row")} is that of a dead token`);
  else if (holes.length === 0) found.push(`no two of the ${dead.length} dead tokens shared a black hole at the start`);
  return found;
}

/** Where the dead tokens of a black hole are at the end, as `30 + 20 in 2 black holes, 1 alone`. */
function whereabouts({ together, alone }: DeadHole): string {
  const shared = together.length > 0 ? [`${together.join(" + ")} in ${count(together.length, "black hole")}`] : [];
  return [...shared, ...(alone > 0 ? [`${alone} alone`] : [])].join(", ");
}

function partedReason(holes: readonly DeadHole[], parted: readonly DeadHole[]): string {
  const [first] = parted;
  if (first && holes.length === 1) return `the ${first.tokens.length} dead tokens of the black hole at the start have parted: ${whereabouts(first)}`;
  const told = parted.slice(0, maxHolesTold).map((hole) => `of ${hole.tokens.length}, ${whereabouts(hole)}`);
  const more = parted.length > told.length ? [`and ${parted.length - told.length} more`] : [];
  return `${parted.length} of ${holes.length} black holes of dead tokens at the start have parted: ${[...told, ...more].join("; ")}`;
}

function wholeReason(holes: readonly DeadHole[]): string {
  const tokens = holes.reduce((sum, hole) => sum + hole.tokens.length, 0);
  const which = holes.length === 1 ? "the black hole" : `${holes.length} black holes`;
  return `no split: the ${tokens} dead tokens of ${which} at the start are still together${holes.length === 1 ? "" : ", hole by hole"}`;
}

/** Black holes without a dead token: they are told, and never scored. */
function liveReason({ final }: VerdictInput, dead: readonly number[]): string {
  const isDead = new Set(dead);
  const live = census(final).members.filter((members) => !members.some((token) => isDead.has(token))).length;
  return live === 0 ? "" : `. Not scored: ${count(live, "black hole")} of live tokens alone`;
}

/**
 * Positive when the dead tokens of one black hole of the start are not in one at the end, null when they are. Degenerate when the question has no answer:
 * the history is unfit, the end is not finite, or no two dead tokens shared a black hole at the start.
 */
export function verdict(input: VerdictInput): Verdict {
  const { initial, final, deadTokens } = input;
  const dead = deadTokens.filter((token) => initial.rowTokens.has(token));
  const holes = deadHoles(initial, final, dead);
  const unanswerable = obstacles(input, dead, holes);
  if (unanswerable.length > 0) return { result: "degenerate", reason: `not scored: ${unanswerable.join("; ")}` };
  const live = liveReason(input, dead);
  const parted = holes.filter(hasParted);
  if (parted.length > 0) return { result: "positive", reason: `${partedReason(holes, parted)}${live}` };
  return { result: "null", reason: `${wholeReason(holes)}${live}` };
}
