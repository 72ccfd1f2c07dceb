import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasTokenRows } from "../config/record-schema.js";
import { formatInvalid } from "../formats/file-bytes.js";
import type { RowSource } from "../formats/matrix.js";
import { RowTokens } from "../formats/row-tokens.js";
import { readMatrix, type StoredTensor } from "../formats/stored-tensor.js";
import { count } from "../text/format.js";
import { isHistoryFile, isRunDirectory, recordedName, runFiles } from "./run-layout.js";

/** What the states and rows of a history stand for. */
interface HistoryLabels {
  /** The training step of each state, where state i is not step i. */
  readonly steps?: readonly number[];
  readonly rowTokens: RowTokens;
}

/**
 * What a run's own files say about a history in its directory; of a history elsewhere, state i is step i and row i is token i.
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

/** A scalar beside a history: the index of the last state that has been recorded. */
export const stepsDoneName = "steps_done";

/**
 * How many states of a history have been recorded; nothing when its file does not say.
 * @throws {BhBridgeError} `FORMAT_INVALID` when the file says what cannot be.
 */
export function recordedStates(tensors: readonly StoredTensor[], history: StoredTensor, path: string): number | undefined {
  const stepsDone = tensors.find((tensor) => tensor.name === stepsDoneName && tensor.file === history.file);
  if (!stepsDone) return undefined;
  const value = stepsDone.shape.length === 0 ? readMatrix(stepsDone).at(0, 0) : Number.NaN;
  const [planned = 0] = history.shape;
  if (Number.isInteger(value) && value >= 0 && value < planned) return value + 1;
  throw formatInvalid(path, stepsDone.rows().raw?.offset ?? 0, `${stepsDoneName} is ${value}, but the history has room for the states 0 to ${planned - 1}`);
}

/** What was recorded later can be of other rows than the run's own history: their tokens stand beside its states, `[rows]` in I64. */
export const ownTokensName = "tokens";

/** The tokens that the file of a history itself names, row by row; nothing when it does not. */
function ownTokens(tensors: readonly StoredTensor[], history: StoredTensor): readonly number[] | undefined {
  const found = tensors.find(({ name, file, dtype, shape }) => name === ownTokensName && file === history.file && dtype === "I64" && shape.length === 1);
  return found && found.shape[0] === history.shape[1] ? [...readMatrix(found).toFloat64()] : undefined;
}

/** What the file of a history says of it beside its states. */
export interface OwnLabels {
  /** How many have been recorded. */
  readonly states?: number | undefined;
  /** The token of each row. */
  readonly tokens?: readonly number[] | undefined;
}

/** The labels of a history among the tensors of its file. @throws {BhBridgeError} `FORMAT_INVALID` when they say what cannot be. */
export function ownLabels(tensors: readonly StoredTensor[], history: StoredTensor, path: string): OwnLabels {
  return { states: recordedStates(tensors, history, path), tokens: ownTokens(tensors, history) };
}
