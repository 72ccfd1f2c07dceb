import { type History, readState } from "../../formats/history.js";
import type { Matrix } from "../../formats/matrix.js";
import { census } from "../census/census.js";
import { forEachRow } from "../elements.js";
import type { ScanOptions } from "../scan/observation.js";
import { scanHistory } from "../scan/scan-history.js";
import { type CountsTable, timelineFields } from "../scan/state-scanner.js";
import type { ClassChanges, ClassCounts } from "./class-changes.js";

type Series<Fields> = { readonly [Field in keyof Fields]: readonly number[] };

/** Black holes over a history: counts have one entry per state, changes one per step (entry i is the move to state i + 1). */
export interface Timeline extends Series<ClassCounts>, Series<ClassChanges> {
  readonly firstStateWithTwoHoles: number | null;
}

/** Number of leading `timelineFields` that describe a state; the others compare it with the previous one. */
const stateFields = 4;

/** The timeline of a scanned history. @param counts `timelineFields` of each state. */
export function timelineOf(counts: CountsTable): Timeline {
  const states = counts.length / timelineFields.length;
  const series = timelineFields.map((field, offset) => {
    const first = offset < stateFields ? 0 : 1;
    const values = new Array<number>(states - first).fill(0);
    for (let state = first; state < states; state++) values[state - first] = counts[state * timelineFields.length + offset] ?? 0;
    return [field, values] as const;
  });
  const timeline = Object.fromEntries(series) as Record<(typeof timelineFields)[number], number[]>;
  return { ...timeline, firstStateWithTwoHoles: firstState(timeline, ({ C }) => C >= 2) };
}

/**
 * The census of every state of a history, and the changes between states.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; read errors.
 */
export async function timeline(history: History, options: ScanOptions = {}): Promise<Timeline> {
  const { counts } = await scanHistory(history, [], options);
  return timelineOf(counts);
}

/** The counts of a timeline, one entry per state. */
export type StateCounts = Series<ClassCounts>;

/** The first state whose counts meet a condition, if any. */
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
 * Count the escapes of each step whose row became NaN: such a row equals no other, so it leaves its black hole without moving away. Only the states around a step
 * with escapes are read.
 * @param escapes of each step, as in a timeline.
 * @yields the number of steps done.
 */
export function* nanEscapes(history: History, escapes: readonly number[]): Generator<number, number[]> {
  const counts = escapes.map(() => 0);
  for (const [index, count] of escapes.entries()) {
    if (count === 0) continue;
    const nan = nanTokens(readState(history, index + 1));
    if (nan.size > 0) {
      const { members } = census(readState(history, index));
      counts[index] = members.flat().filter((token) => nan.has(token)).length;
    }
    yield index + 1;
  }
  return counts;
}
