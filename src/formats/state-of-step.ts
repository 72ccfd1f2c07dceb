import { BhBridgeError } from "../errors.js";
import { count } from "../text/count.js";
import type { History } from "./history.js";

type Steps = Pick<History, "source" | "states" | "steps">;

/** The training step of a state. */
export function stepOfState({ steps }: { readonly steps?: readonly number[] | undefined }, state: number): number {
  return steps?.[state] ?? state;
}

/** The training step of every state. */
export function stepsOf({ states, steps }: Omit<Steps, "source">): readonly number[] {
  return steps ?? Array.from({ length: states }, (_, state) => state);
}

/**
 * The state that was recorded after a training step.
 *
 * @throws {BhBridgeError} `USAGE` for a step that was not recorded, with the nearest that were.
 */
export function stateOfStep(history: Steps, step: number): number {
  const { source, states } = history;
  const recorded = stepsOf(history);
  const state = recorded.indexOf(step);
  if (state >= 0) return state;
  const nearest = [recorded.findLast((earlier) => earlier < step), recorded.find((later) => later > step)].filter((near) => near !== undefined);
  throw new BhBridgeError(
    "USAGE",
    `step ${step} is not recorded in ${source}: it has ${count(states, "state")} of the steps ${recorded[0]} to ${recorded.at(-1)}, the nearest ${nearest.join(" and ")}`,
  );
}
