import type { Matrix } from "../formats/matrix.js";
import { census } from "./census.js";

/** The dead tokens of one black hole of the start, and where they are at the end. */
export interface DeadHole {
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
