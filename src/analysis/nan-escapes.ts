import type { History } from "../formats/history.js";
import type { Matrix } from "../formats/matrix.js";
import { readState } from "../formats/read-state.js";
import { census } from "./census.js";
import { forEachRow } from "./for-each-row.js";

function nanTokens(state: Matrix): Set<number> {
  const found = new Set<number>();
  forEachRow(state, (values, row) => {
    if (values.some(Number.isNaN)) found.add(state.rowTokens.ofRow(row));
  });
  return found;
}

/**
 * How many of the escapes of each step are of tokens whose row became NaN: such a row equals nothing, so that it leaves its black hole without having moved
 * away from it. Only the states around a step with escapes are read.
 *
 * @param escapes of each step, as in a timeline.
 * @yields the number of steps done.
 */
export function* nanEscapes(history: History, escapes: readonly number[]): Generator<number, number[]> {
  const counts = escapes.map(() => 0);
  for (const [index, count] of escapes.entries()) {
    if (count === 0) continue;
    const nan = nanTokens(readState(history, index + 1));
    if (nan.size > 0)
      counts[index] = census(readState(history, index))
        .members.flat()
        .filter((token) => nan.has(token)).length;
    yield index + 1;
  }
  return counts;
}
