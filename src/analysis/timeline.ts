import type { History } from "../formats/history.js";
import type { ClassChanges } from "./class-changes.js";
import type { ClassCounts } from "./class-counts.js";
import type { CountsTable } from "./scan/counts-table.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import { timelineFields } from "./scan/state-scanner.js";

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
