import { BhBridgeError } from "../errors.js";
import { findEmbedding, findTensor } from "../formats/find-tensor.js";
import { stateOfStep, stepOfState } from "../formats/history.js";
import { itemSizes, Matrix, type RowSource } from "../formats/matrix.js";
import { RowTokens } from "../formats/row-tokens.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import type { CheckpointKind } from "./checkpoint.js";
import { historyLabels, type OwnLabels, ownLabels } from "./history-labels.js";
import { openTensors } from "./open-run-directory.js";

/** A matrix of a file. */
export interface EmbeddingChoice {
  /** Name of the tensor (default: detected by name and shape). */
  readonly tensor?: string | undefined;
  /** Training step of a history (default: the last recorded). */
  readonly step?: number | undefined;
}

/** One matrix `[tokens, dims]` of an open file: a tensor, or one state of a history. */
export interface OpenEmbedding {
  readonly kind: CheckpointKind;
  readonly tensor: string;
  readonly shape: readonly [tokens: number, dims: number];
  /** The training step, if the tensor is a history. */
  readonly step?: number;
  /** All recorded states one after another, if the tensor is a history. */
  readonly history?: { readonly states: number; readonly rows: RowSource };
  readonly rows: RowSource & { readonly rowTokens: RowTokens };
  close(): void;
}

/**
 * Open one matrix of any file or directory that `openCheckpoint` supports, to read its rows in parts.
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND`; `USAGE` for a step that was not recorded, or without a history; `FORMAT_UNSUPPORTED` for other shapes; as
 *   `openCheckpoint`.
 */
export async function openEmbedding(path: string, choice: EmbeddingChoice = {}): Promise<OpenEmbedding> {
  const opened = await openTensors(path);
  try {
    const tensor = choice.tensor === undefined ? findEmbedding(opened.tensors, path, opened.metadata) : findTensor(opened.tensors, choice.tensor, path);
    const common = { kind: opened.kind, tensor: tensor.name, close: () => opened.close() };
    if (tensor.shape.length === 3) return { ...common, ...(await stateOf(tensor, path, choice.step, ownLabels(opened.tensors, tensor, path))) };
    if (choice.step !== undefined) throw new BhBridgeError("USAGE", `tensor "${tensor.name}" of ${path} is not a history, so it has no step ${choice.step}`);
    const [tokens, dims, ...more] = tensor.shape;
    if (tokens === undefined || dims === undefined || more.length > 0) {
      const shape = `[${tensor.shape.join(", ")}]`;
      throw new BhBridgeError("FORMAT_UNSUPPORTED", `tensor "${tensor.name}" of ${path} has the shape ${shape}; a matrix [tokens, dims] is needed`);
    }
    return { ...common, shape: [tokens, dims], rows: { ...tensor.rows(), rowTokens: RowTokens.all(tokens) } };
  } catch (error) {
    opened.close();
    throw error;
  }
}

async function stateOf(
  tensor: StoredTensor,
  path: string,
  step: number | undefined,
  own: OwnLabels,
): Promise<Pick<OpenEmbedding, "shape" | "step" | "rows" | "history">> {
  const [planned = 0, tokens = 0, dims = 0] = tensor.shape;
  const all = tensor.rows();
  const states = all.raw?.checks?.crcs.length ?? own.states ?? planned;
  if (states === 0) throw new BhBridgeError("FORMAT_UNSUPPORTED", `the history "${tensor.name}" of ${path} has no states`);
  const { steps, rowTokens } = await historyLabels(all, tokens, own.tokens);
  const labelled = { source: path, states, ...(steps && { steps }) };
  const state = step === undefined ? states - 1 : stateOfStep(labelled, step);
  const offset = state * tokens;
  return {
    shape: [tokens, dims],
    step: stepOfState(labelled, state),
    history: { states, rows: { ...all, rows: states * tokens } },
    rows: {
      source: all.source,
      dtype: all.dtype,
      rows: tokens,
      columns: dims,
      rowTokens,
      ...(all.raw ? { raw: { ...all.raw, offset: all.raw.offset + offset * dims * itemSizes[all.dtype] } } : {}),
      read: (first, count, target) => all.read(offset + first, count, target),
    },
  };
}

/** Read one matrix `[tokens, dims]` of a file. @throws {BhBridgeError} as `openEmbedding`; `FORMAT_UNSUPPORTED` for a run that recorded chosen rows. */
export async function readEmbedding(path: string, choice: EmbeddingChoice = {}): Promise<Matrix> {
  const embedding = await openEmbedding(path, choice);
  try {
    const { rows, shape } = embedding;
    const { ids, vocabulary } = rows.rowTokens;
    if (ids) {
      const message = `${path} cannot be used as an embedding: it has the rows of ${shape[0]} chosen tokens of ${vocabulary}, not a whole embedding`;
      throw new BhBridgeError("FORMAT_UNSUPPORTED", message);
    }
    const bytes = new Uint8Array(rows.rows * rows.columns * itemSizes[rows.dtype]);
    rows.read(0, rows.rows, bytes);
    return new Matrix(rows.dtype, shape, bytes);
  } finally {
    embedding.close();
  }
}
