import { type History, readState } from "../../formats/history.js";
import type { Matrix } from "../../formats/matrix.js";
import { census } from "../census/census.js";
import { forEachRow } from "../elements.js";
import type { ScanOptions } from "../scan/observation.js";
import { scanHistory } from "../scan/scan-history.js";
import { type CountsTable, timelineFields } from "../scan/state-scanner.js";
import type { ClassChanges, ClassCounts } from "./class-changes.js";

type Series<Fields> = { readonly [Field in keyof Fields]: readonly number[] };

/** Black holes over a history: counts have an entry a state, changes an entry a step (entry i is of step i + 1, the move to state i + 1). */
export interface Timeline extends Series<ClassCounts>, Series<ClassChanges> {
  /** The first state with C ≥ 2; null when there is none. */
  readonly firstStateWithTwoHoles: number | null;
}

/** The timeline that a scan's counts amount to. @param counts `timelineFields` of each state. */
export function timelineOf(counts: CountsTable): Timeline {
  const states = counts.length / timelineFields.length;
  const series = (field: (typeof timelineFields)[number], from: number): number[] => {
    const offset = timelineFields.indexOf(field);
    const values = new Array<number>(states - from).fill(0);
    for (let state = from; state < states; state++) values[state - from] = counts[state * timelineFields.length + offset] ?? 0;
    return values;
  };
  const C = series("C", 0);
  const firstWithTwo = C.findIndex((holes) => holes >= 2);
  return {
    unique: series("unique", 0),
    C,
    P: series("P", 0),
    largest: series("largest", 0),
    fissions: series("fissions", 1),
    splits: series("splits", 1),
    merges: series("merges", 1),
    joins: series("joins", 1),
    escapes: series("escapes", 1),
    captures: series("captures", 1),
    firstStateWithTwoHoles: firstWithTwo < 0 ? null : firstWithTwo,
  };
}

/**
 * The census of every state of a history, and what happens between states.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function timeline(history: History, options: ScanOptions = {}): Promise<Timeline> {
  const { counts } = await scanHistory(history, [], options);
  return timelineOf(counts);
}

/** The counts of a timeline, one entry a state. */
export type StateCounts = { readonly [Field in keyof ClassCounts]: readonly number[] };

/** The first state that meets a condition on its counts; null when none does. */
export function firstState(counts: StateCounts, condition: (state: ClassCounts & { readonly state: number }) => boolean): number | null {
  const { unique, C, P, largest } = counts;
  const found = unique.findIndex((value, state) => condition({ state, unique: value, C: C[state] ?? 0, P: P[state] ?? 0, largest: largest[state] ?? 0 }));
  return found < 0 ? null : found;
}

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
