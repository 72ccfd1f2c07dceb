import type { ClassCounts } from "./class-counts.js";

/** The counts of a timeline, one entry a state. */
export type StateCounts = { readonly [Field in keyof ClassCounts]: readonly number[] };

/** The first state that meets a condition on its counts; null when none does. */
export function firstState(counts: StateCounts, condition: (state: ClassCounts & { readonly state: number }) => boolean): number | null {
  const { unique, C, P, largest } = counts;
  const found = unique.findIndex((value, state) => condition({ state, unique: value, C: C[state] ?? 0, P: P[state] ?? 0, largest: largest[state] ?? 0 }));
  return found < 0 ? null : found;
}
