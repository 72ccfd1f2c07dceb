import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasTokenRows } from "../config/record-schema.js";
import { formatInvalid } from "../formats/format-invalid.js";
import type { RowSource } from "../formats/row-source.js";
import { RowTokens } from "../formats/row-tokens.js";
import { count } from "../text/count.js";
import { isHistoryFile, isRunDirectory, recordedName, runFiles } from "./run-layout.js";

/** What the states and rows of a history stand for. */
interface HistoryLabels {
  /** The training step of each state, where state i is not step i. */
  readonly steps?: readonly number[];
  readonly rowTokens: RowTokens;
}

/**
 * What a run's own files say about a history in its directory; of a history elsewhere, state i is step i and row i is token i.
 *
 * @param own the tokens that the history's own file names.
 * @throws {BhBridgeError} `FORMAT_INVALID` when those files contradict the history.
 */
export async function historyLabels({ raw }: RowSource, rows: number, own?: readonly number[]): Promise<HistoryLabels> {
  if (!raw || !isHistoryFile(basename(raw.path)) || !isRunDirectory(dirname(raw.path))) return { rowTokens: RowTokens.all(rows) };
  const steps = raw.checks?.steps;
  if (!hasTokenRows(recordedName(basename(raw.path)))) return { ...(steps && { steps }), rowTokens: RowTokens.all(rows) };
  const recorded = await tokensBeside(dirname(raw.path), rows, own);
  if (recorded && recorded.count !== rows) {
    throw formatInvalid(
      raw.path,
      0,
      `its states have ${count(rows, "row")}, but config.json beside it says that ${recorded.count} of its tokens were recorded`,
    );
  }
  if (raw.checks) raw.checks.tokens = recorded?.ids; // damage is then told of tokens
  return { ...(steps && { steps }), rowTokens: recorded ?? RowTokens.all(rows) };
}

/** The tokens that the configuration beside a history tells of; its schemas are loaded where there is one. */
async function tokensBeside(directory: string, rows: number, own: readonly number[] | undefined): Promise<RowTokens | undefined> {
  if (!existsSync(join(directory, runFiles.config))) return undefined;
  const { recordedTokens } = await import("./recorded-tokens.js");
  return recordedTokens(directory, rows, own);
}
