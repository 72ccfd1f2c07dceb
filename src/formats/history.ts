import { BhBridgeError } from "../errors.js";
import { count } from "../text/format.js";
import { type Dtype, itemSizes, Matrix } from "./matrix.js";
import type { RowTokens } from "./row-tokens.js";
import type { RawBytes } from "./state-checks.js";
import type { TensorInfo } from "./stored-tensor.js";

/**
 * The states of an embedding matrix over a training, in order: `[states, tokens, dims]`, state 0 before training. Read front to back in pieces, so that memory
 * does not grow with the number of states.
 */
export interface History {
  /** What the states were read from, for messages and documents. */
  readonly source: string;
  readonly dtype: Dtype;
  readonly states: number;
  readonly tokens: number;
  readonly dims: number;
  /** The training step of each state, where a run recorded it; absent when state i is step i. */
  readonly steps?: readonly number[];
  /** Which token each row is: a run may have recorded chosen ones alone. */
  readonly rowTokens: RowTokens;
  /** Where the states lie as raw, contiguous, uncompressed bytes, so that workers can read them; absent otherwise (HDF5). */
  readonly raw?: RawBytes;
  /**
   * Copy the states `first` to `first + count − 1` into `target`, which holds exactly their bytes.
   * @throws {BhBridgeError} `FORMAT_INVALID` when the file ends early; `RUN_CORRUPT` naming file, step and token when the checksum of a state does not hold.
   */
  read(first: number, count: number, target: Uint8Array): void;
  close(): void;
}

/** The tensor in which the recorder and the notebook save the history of the embedding. */
export const embeddingHistory = "embedding_history";
/** Names under which histories are saved: that one, and that of HDF5 trajectories. */
export const historyTensorNames: readonly string[] = [embeddingHistory, "W"];

/** The tensors `[states, tokens, dims]` of a file. */
export function historyTensors<Tensor extends TensorInfo>(tensors: readonly Tensor[]): Tensor[] {
  return tensors.filter((tensor) => tensor.shape.length === 3);
}

/** The history among a file's tensors: the one of a known name, else the only one of three dimensions. */
export function findHistoryTensor<Tensor extends TensorInfo>(tensors: readonly Tensor[]): Tensor | undefined {
  const candidates = historyTensors(tensors);
  const named = candidates.find((tensor) => historyTensorNames.includes(tensor.name));
  return named ?? (candidates.length === 1 ? candidates[0] : undefined);
}

/**
 * One state of a history, `[tokens, dims]`.
 * @throws {BhBridgeError} `USAGE` when the history has no such state; `FORMAT_UNSUPPORTED` when it has none at all; what reading it throws.
 */
export function readState(history: History, index: number): Matrix {
  const { dtype, tokens, dims, states, rowTokens } = history;
  if (states === 0) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${history.source} has no recorded state yet`);
  if (!Number.isInteger(index) || index < 0 || index >= states) {
    throw new BhBridgeError("USAGE", `${history.source} has the states 0 to ${states - 1}, not ${index}`);
  }
  const bytes = new Uint8Array(tokens * dims * itemSizes[dtype]);
  history.read(index, 1, bytes);
  return new Matrix(dtype, [tokens, dims], bytes, rowTokens);
}

type Steps = Pick<History, "source" | "states" | "steps">;

/** The training step of a state. */
export function stepOfState({ steps }: { readonly steps?: readonly number[] | undefined }, state: number): number {
  return steps?.[state] ?? state;
}

/** The training step of every state. */
export function stepsOf({ states, steps }: Omit<Steps, "source">): readonly number[] {
  return steps ?? Array.from({ length: states }, (_, state) => state);
}

/** The state that was recorded after a training step. @throws {BhBridgeError} `USAGE` for a step that was not recorded, with the nearest that were. */
export function stateOfStep(history: Steps, step: number): number {
  const { source, states } = history;
  const recorded = stepsOf(history);
  const state = recorded.indexOf(step);
  if (state >= 0) return state;
  const nearest = [recorded.findLast((earlier) => earlier < step), recorded.find((later) => later > step)].filter((near) => near !== undefined);
  throw new BhBridgeError(
    "USAGE",
    `step ${step} is not recorded in ${source}: it has ${count(states, "state")} of the steps ${recorded[0]} to ${recorded.at(-1)}, the nearest ${nearest.join(" and ")}`,
  );
}
