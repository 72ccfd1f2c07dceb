import type { History } from "../formats/history.js";
import type { Matrix } from "../formats/matrix.js";
import type { RowTokens } from "../formats/row-tokens.js";
import { count } from "../text/format.js";
import { census } from "./census/census.js";
import { nonfiniteTokens } from "./elements.js";
import type { ScanOptions } from "./scan/observation.js";
import { scanHistory } from "./scan/scan-history.js";
import type { Sightings } from "./scan/state-scanner.js";

/** Why a history cannot be scored. */
export const degeneracies = ["all-zero", "never-moved", "nothing-finite"] as const;
/** Why the outcome of a run is degenerate. */
export type Degeneracy = (typeof degeneracies)[number];

export const degeneracyExplanations: Readonly<Record<Degeneracy, string>> = {
  "all-zero": "every weight is 0 in every state",
  "never-moved": "no weight changed in any step",
  "nothing-finite": "no weight is finite",
};

/** Whether a history can be scored. */
export interface Soundness {
  /** Why it cannot be scored; empty if it can. A history of one state has never moved. */
  readonly degenerate: readonly Degeneracy[];
  /** Tokens with NaN or infinity in some state, ascending. */
  readonly nonfiniteTokens: readonly number[];
}

/** The soundness of a scanned history. */
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
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function soundness(history: History, options: ScanOptions = {}): Promise<Soundness> {
  const { sightings } = await scanHistory(history, [], options);
  return soundnessOf(sightings, history.rowTokens);
}

/** The dead tokens of one initial black hole, and where they are at the end. */
interface DeadHole {
  /** Two or more, ascending. */
  readonly tokens: readonly number[];
  /** Number of them in each final black hole, descending. Live tokens in it are not counted. */
  readonly together: readonly number[];
  /** Number of them that share their final row with no other token. */
  readonly alone: number;
}

/** Whether the dead tokens of a black hole are no longer in one. */
export function hasParted({ together, alone }: DeadHole): boolean {
  return together.length + alone > 1;
}

/**
 * The initial black holes with two or more dead tokens, and where these tokens are at the end.
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

/** The answer to the question whether dead tokens that started in one black hole have parted. */
export interface Verdict {
  readonly result: "null" | "positive" | "degenerate";
  /** The counts that decided, in one sentence. */
  readonly reason: string;
}

/** Argument of `verdict`. */
export interface VerdictInput {
  /** The embedding before training, `[tokens, dims]`, or its recorded rows. */
  readonly initial: Matrix;
  /** The final embedding, of the same tokens. */
  readonly final: Matrix;
  /** Tokens that never appear in the corpus; those without a row are ignored. */
  readonly deadTokens: readonly number[];
  /** Why the history cannot be scored; empty if it can. */
  readonly degenerate: readonly Degeneracy[];
}

/** Maximum number of black holes listed in a reason. */
const maxHolesListed = 3;

/** Why the question has no answer; empty if it has one. */
function obstacles({ final, degenerate }: VerdictInput, dead: readonly number[], holes: readonly DeadHole[]): string[] {
  const found = degenerate.map((name) => degeneracyExplanations[name]);
  const broken = nonfiniteTokens(final).length;
  if (broken > 0) found.push(`the weights of ${broken} of ${count(final.rows, "token")} are not finite at the end`);
  if (dead.length < 2) found.push(`${dead.length === 0 ? "none" : "only one"} of the ${count(final.rows, "row")} belongs to a dead token`);
  else if (holes.length === 0) found.push(`no two of the ${dead.length} dead tokens shared a black hole at the start`);
  return found;
}

/** Where the dead tokens of a black hole are at the end, such as `30 + 20 in 2 black holes, 1 alone`. */
function whereabouts({ together, alone }: DeadHole): string {
  const shared = together.length > 0 ? [`${together.join(" + ")} in ${count(together.length, "black hole")}`] : [];
  return [...shared, ...(alone > 0 ? [`${alone} alone`] : [])].join(", ");
}

function partedReason(holes: readonly DeadHole[], parted: readonly DeadHole[]): string {
  const [first] = parted;
  if (first && holes.length === 1) return `the ${first.tokens.length} dead tokens of the black hole at the start have parted: ${whereabouts(first)}`;
  const listed = parted.slice(0, maxHolesListed).map((hole) => `of ${hole.tokens.length}, ${whereabouts(hole)}`);
  const more = parted.length > listed.length ? [`and ${parted.length - listed.length} more`] : [];
  return `${parted.length} of ${holes.length} black holes of dead tokens at the start have parted: ${[...listed, ...more].join("; ")}`;
}

function wholeReason(holes: readonly DeadHole[]): string {
  const tokens = holes.reduce((sum, hole) => sum + hole.tokens.length, 0);
  const which = holes.length === 1 ? "the black hole" : `${holes.length} black holes`;
  return `no split: the ${tokens} dead tokens of ${which} at the start are still together${holes.length === 1 ? "" : ", hole by hole"}`;
}

/** A remark on black holes without a dead token, which are not scored. */
function liveReason({ final }: VerdictInput, dead: readonly number[]): string {
  const isDead = new Set(dead);
  const live = census(final).members.filter((members) => !members.some((token) => isDead.has(token))).length;
  return live === 0 ? "" : `. Not scored: ${count(live, "black hole")} of live tokens only`;
}

/**
 * `positive` if dead tokens of one initial black hole are no longer in one at the end, `null` if all are. `degenerate` if the question has no answer: the
 * history is unsound, final weights are not finite, or no two dead tokens shared a black hole at the start.
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
