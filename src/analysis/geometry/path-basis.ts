import { BhBridgeError } from "../../errors.js";
import type { History } from "../../formats/history.js";
import { itemSizes } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import { runHere } from "../scan/run-in-parts.js";
import { spreadStates } from "../series.js";
import { GrowingCloud } from "./state-geometry.js";

/** A linear basis for all states of a history, or of several. */
export interface PathBasis {
  readonly center: Float64Array;
  /** Unit vectors by descending variance: as many as requested, or as there are dimensions; none if all rows are always equal. */
  readonly axes: readonly Float64Array[];
  /** Share of the variance along each axis. */
  readonly explained: readonly number[];
  /** Largest distance of a row from the center along each axis. */
  readonly reach: readonly number[];
}

interface PathBasisOptions {
  axes: number;
  /** Multiplications to spend: a row takes the square of its dimensions. 1e9 take about a second. */
  work: number;
  /** Number of leading dimensions to use: the eigenvectors of large matrices take seconds. */
  mostDims?: number;
  signal?: AbortSignal | undefined;
}

const mostStates = 200;
/** At least this number of large states is read, with fewer rows of each, if they have at most these bytes. */
const fewStates = 24;
const fewStatesBytes = 32 * 2 ** 20;

/** The principal components of the rows of states evenly spread over the training. */
export function pathBasis(history: History, options: PathBasisOptions): Promise<PathBasis> {
  return basisOfSamples([new PathSample(history, rowsFor(history, options))], history.dims, options);
}

/**
 * The principal components of the rows of several trainings together, so that all can be seen in one view.
 * @throws {BhBridgeError} `USAGE` if their rows differ in number, dimensions or tokens.
 */
export async function sharedBasis(histories: readonly [History, ...History[]], options: PathBasisOptions): Promise<PathBasis> {
  const [first, ...others] = histories;
  const reason = others.map((other) => rowDifference(first, other)).find((each) => each !== undefined);
  if (reason !== undefined) throw new BhBridgeError("USAGE", `these runs cannot be shown together: ${reason}. Choose runs with the same tokens and dimensions`);
  const samples = histories.map((history) => new PathSample(history, Math.ceil(rowsFor(history, options) / histories.length)));
  return basisOfSamples(samples, first.dims, options);
}

/** Why rows of the same index of two histories cannot be compared; undefined if they can. */
export function rowDifference(first: History, second: History): string | undefined {
  const shape = ({ tokens, dims }: History) => `${tokens} tokens × ${dims} dimensions`;
  if (shape(first) !== shape(second)) return `one has ${shape(first)}, the other ${shape(second)}`;
  const [ours, theirs] = [first.rowTokens, second.rowTokens];
  for (let row = 0; row < first.tokens; row++) {
    const [token, other] = [ours.ofRow(row), theirs.ofRow(row)];
    if (token !== other) return `row ${row} is token ${token} in one and token ${other} in the other`;
    if (ours.text && theirs.text && ours.text(token) !== theirs.text(token)) return `their tokenizers differ at token ${token}`;
  }
  return undefined;
}

/** Number of rows that the work allows. */
function rowsFor({ dims }: History, { work, mostDims = dims }: PathBasisOptions): number {
  return Math.ceil(work / Math.min(dims, mostDims) ** 2);
}

async function basisOfSamples(samples: readonly PathSample[], dims: number, { axes: wanted, mostDims = dims, signal }: PathBasisOptions): Promise<PathBasis> {
  const used = Math.min(dims, mostDims);
  const cloud = new GrowingCloud(used);
  const readAll = async (take: (values: Float64Array) => void) => {
    for (const sample of samples) await runHere(sample.rows(take), sample.length, { signal });
  };
  await readAll((values) => cloud.add(used === dims ? values : values.subarray(0, used)));
  const { principalComponents } = await import("./spread.js");
  const { axes, explained } = principalComponents(cloud, wanted);
  const whole = { center: padded(cloud.mean, dims), axes: axes.map((axis) => padded(axis, dims)) };
  const reach = axes.map(() => 0);
  const measure = (values: Float64Array) => {
    for (const [index, along] of seenFrom(whole, values).entries()) reach[index] = Math.max(reach[index] ?? 0, Math.abs(along));
  };
  await readAll(measure);
  return { ...whole, explained, reach };
}

/** Coordinates of a row along the axes. */
export function seenFrom({ center, axes }: Pick<PathBasis, "center" | "axes">, values: ArrayLike<number>): number[] {
  return axes.map((axis) => axis.reduce((sum, direction, dim) => sum + direction * ((values[dim] ?? 0) - (center[dim] ?? 0)), 0));
}

function padded(values: Float64Array, length: number): Float64Array {
  const target = new Float64Array(length);
  target.set(values);
  return target;
}

/** Rows at equal intervals of states at equal intervals, read into reused memory. */
class PathSample {
  readonly #history: History;
  readonly #states: readonly number[];
  readonly #every: number;

  constructor(history: History, mostRows: number) {
    const { states, tokens, dims, dtype } = history;
    const least = Math.max(2, Math.min(fewStates, Math.floor(fewStatesBytes / (tokens * dims * itemSizes[dtype]))));
    const count = Math.min(states, Math.max(least, Math.min(mostStates, Math.floor(mostRows / tokens))));
    this.#history = history;
    this.#states = spreadStates(states, count);
    this.#every = Math.ceil((count * tokens) / mostRows);
  }

  get length(): number {
    return this.#states.length;
  }

  /** @yields the number of states done. */
  *rows(take: (values: Float64Array) => void): Generator<number, void> {
    const { tokens, dims, dtype } = this.#history;
    const rowBytes = dims * itemSizes[dtype];
    const bytes = new Uint8Array(tokens * rowBytes);
    const values = new Float64Array(dims);
    for (const [index, state] of this.#states.entries()) {
      this.#history.read(state, 1, bytes);
      for (let row = index % this.#every; row < tokens; row += this.#every) {
        decodeElements(dtype, bytes.subarray(row * rowBytes, (row + 1) * rowBytes), values);
        if (values.every(Number.isFinite)) take(values);
      }
      yield index + 1;
    }
  }
}
