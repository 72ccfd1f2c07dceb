import type { Degeneracy } from "../analysis/degeneracy.js";
import type { History } from "../formats/history.js";
import { readState } from "../formats/read-state.js";

/** What makes a history unfit to be scored. The states are compared until the first that is sound, which nearly always is the second. */
export function degeneracyOf(history: History): Degeneracy[] {
  const first = readState(history, 0).toFloat64();
  let isZero = true;
  let hasMoved = false;
  let hasFinite = false;
  for (let index = 0; index < history.states; index++) {
    const values = readState(history, index).toFloat64();
    isZero &&= values.every((value) => value === 0);
    hasFinite ||= values.some((value) => Number.isFinite(value));
    hasMoved ||= values.some((value, at) => value !== first[at] && !(Number.isNaN(value) && Number.isNaN(first[at])));
    if (!isZero && hasMoved && hasFinite) return [];
  }
  return [...(isZero ? ["all-zero" as const] : []), ...(hasMoved ? [] : ["never-moved" as const]), ...(hasFinite ? [] : ["nothing-finite" as const])];
}
