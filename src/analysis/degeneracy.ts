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
