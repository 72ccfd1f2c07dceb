import type { History } from "../formats/history.js";
import type { RowTokens } from "../formats/row-tokens.js";
import type { Degeneracy } from "./degeneracy.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import type { Sightings } from "./scan/state-scanner.js";

/** Whether a history can be scored. */
export interface Soundness {
  /** What makes it unfit; empty when it is sound. A history of one state has never moved. */
  readonly degenerate: readonly Degeneracy[];
  /** Tokens with NaN or infinity in some state, ascending. */
  readonly nonfiniteTokens: readonly number[];
}

/** The soundness that a scan's sightings amount to. */
export function soundnessOf({ nonzero, finite, moved, nonfiniteTokens }: Sightings, rowTokens: RowTokens): Soundness {
  const degenerate: Degeneracy[] = [];
  if (!nonzero) degenerate.push("all-zero");
  if (!moved) degenerate.push("never-moved");
  if (!finite) degenerate.push("nothing-finite");
  const rows = Array.from(nonfiniteTokens, (flag, row) => (flag ? row : -1)).filter((row) => row >= 0);
  return { degenerate, nonfiniteTokens: rowTokens.ofRows(rows) };
}

/**
 * Whether a history can be scored: all-zero, never-moved and nothing-finite ones are named.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `ABORTED`; what reading it throws.
 */
export async function soundness(history: History, options: ScanOptions = {}): Promise<Soundness> {
  const { sightings } = await scanHistory(history, [], options);
  return soundnessOf(sightings, history.rowTokens);
}
