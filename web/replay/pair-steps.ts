import type { ReplayedHistory } from "./replayed.js";

type Recorded = Pick<ReplayedHistory, "steps" | "states">;

/** The training steps that either of two histories has recorded, ascending. */
export function stepsOfBoth(first: Recorded, second: Recorded): number[] {
  const stepsOf = ({ steps, states }: Recorded) => steps ?? Array.from({ length: states }, (_, state) => state);
  return [...new Set([...stepsOf(first), ...stepsOf(second)])].sort((a, b) => a - b);
}
