import { dirname } from "node:path";
import { count } from "../text/count.js";
import { formatInvalid } from "./format-invalid.js";
import { recordedSteps } from "./history-index.js";
import { type RecordedRows, recordedRows } from "./recorded-rows.js";
import type { RowSource } from "./row-source.js";
import { isRunDirectory } from "./run-directory.js";

/** What the states and rows of a history stand for, where they are not simply step and token of the same number. */
export interface HistoryLabels {
  /** The training step of each state. */
  readonly steps?: readonly number[];
  /** The tokens that were recorded. */
  readonly recorded?: RecordedRows;
}

/**
 * What a run's own files say about a history in its directory; nothing for a history elsewhere.
 *
 * @param states that have been recorded.
 * @throws {BhBridgeError} `FORMAT_INVALID` when those files contradict the history.
 */
export function historyLabels({ raw }: RowSource, states: number, rows: number): HistoryLabels {
  if (!raw || !isRunDirectory(dirname(raw.path))) return {};
  const steps = recordedSteps(raw.path, states);
  const recorded = recordedRows(dirname(raw.path));
  if (recorded && recorded.tokens.length !== rows) {
    throw formatInvalid(
      raw.path,
      0,
      `its states have ${count(rows, "row")}, but config.json beside it says that ${recorded.tokens.length} of its tokens were recorded`,
    );
  }
  return { ...(steps && { steps }), ...(recorded && { recorded }) };
}
