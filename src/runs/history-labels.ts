import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasTokenRows } from "../config/record-schema.js";
import { formatInvalid } from "../formats/file-bytes.js";
import type { RowSource } from "../formats/matrix.js";
import { RowTokens } from "../formats/row-tokens.js";
import { readMatrix, type StoredTensor } from "../formats/stored-tensor.js";
import { count } from "../text/format.js";
import { isHistoryFile, isRunDirectory, recordedName, runFiles } from "./run-layout.js";

/** Steps of the states and tokens of the rows of a history. */
interface HistoryLabels {
  /** The training step of each state; absent if state i is step i. */
  readonly steps?: readonly number[];
  readonly rowTokens: RowTokens;
}

/**
 * The labels of a history by the files of its run. Outside a run, state i is step i and row i is token i.
 * @param own tokens in the history's own file.
 * @throws {BhBridgeError} `FORMAT_INVALID` if the files contradict the history.
 */
export async function historyLabels({ raw }: RowSource, rows: number, own?: readonly number[]): Promise<HistoryLabels> {
  if (!raw || !isHistoryFile(basename(raw.path)) || !isRunDirectory(dirname(raw.path))) return { rowTokens: RowTokens.all(rows) };
  const steps = raw.checks?.steps;
  if (!hasTokenRows(recordedName(basename(raw.path)))) return { ...(steps && { steps }), rowTokens: RowTokens.all(rows) };
  const recorded = await tokensBeside(dirname(raw.path), rows, own);
  if (recorded && recorded.count !== rows) {
    throw formatInvalid(raw.path, 0, `its states have ${count(rows, "row")}, but by its config.json ${recorded.count} tokens were recorded`);
  }
  if (raw.checks) raw.checks.tokens = recorded?.ids; // so that messages about damage name tokens
  return { ...(steps && { steps }), rowTokens: recorded ?? RowTokens.all(rows) };
}

/** The tokens by the configuration of a history's run, whose schemas are imported lazily. */
async function tokensBeside(directory: string, rows: number, own: readonly number[] | undefined): Promise<RowTokens | undefined> {
  if (!existsSync(join(directory, runFiles.config))) return undefined;
  const { recordedTokens } = await import("./recorded-tokens.js");
  return recordedTokens(directory, rows, own);
}

/** Scalar in the file of a history: the index of the last recorded state. */
export const stepsDoneName = "steps_done";

/** The number of recorded states of a history, undefined if its file has none. @throws {BhBridgeError} `FORMAT_INVALID` for an impossible number. */
export function recordedStates(tensors: readonly StoredTensor[], history: StoredTensor, path: string): number | undefined {
  const stepsDone = tensors.find((tensor) => tensor.name === stepsDoneName && tensor.file === history.file);
  if (!stepsDone) return undefined;
  const value = stepsDone.shape.length === 0 ? readMatrix(stepsDone).at(0, 0) : Number.NaN;
  const [planned = 0] = history.shape;
  if (Number.isInteger(value) && value >= 0 && value < planned) return value + 1;
  throw formatInvalid(path, stepsDone.rows().raw?.offset ?? 0, `${stepsDoneName} is ${value}, but the history has room for the states 0 to ${planned - 1}`);
}

/** Tensor in the file of a history that was recorded later, which can have other rows than the run's own: tokens `[rows]` in I64. */
export const ownTokensName = "tokens";

/** The tokens in the file of a history, row by row, undefined if it has none. */
function ownTokens(tensors: readonly StoredTensor[], history: StoredTensor): readonly number[] | undefined {
  const found = tensors.find(({ name, file, dtype, shape }) => name === ownTokensName && file === history.file && dtype === "I64" && shape.length === 1);
  return found && found.shape[0] === history.shape[1] ? [...readMatrix(found).toFloat64()] : undefined;
}

/** Labels in the file of a history. */
export interface OwnLabels {
  /** Number of recorded states. */
  readonly states?: number | undefined;
  /** The token of each row. */
  readonly tokens?: readonly number[] | undefined;
}

/** The labels of a history in its file. @throws {BhBridgeError} `FORMAT_INVALID` for impossible values. */
export function ownLabels(tensors: readonly StoredTensor[], history: StoredTensor, path: string): OwnLabels {
  return { states: recordedStates(tensors, history, path), tokens: ownTokens(tensors, history) };
}
