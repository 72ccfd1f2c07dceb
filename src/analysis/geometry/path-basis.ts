import type { History } from "../../formats/history.js";
import { itemSizes } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import { runHere } from "../scan/run-in-parts.js";
import { spreadStates } from "../states.js";
import { GrowingCloud } from "./state-geometry.js";

/** A fixed view of a history: where it looks at, and in which directions. */
export interface PathBasis {
  readonly center: Float64Array;
  /** Unit vectors, the widest first, as many as were asked for or as there are dimensions; none where no row ever differs. */
  readonly axes: readonly Float64Array[];
  /** The share of the spread that each direction has. */
  readonly explained: readonly number[];
  /** Along each direction, the largest distance of a row from the center. */
  readonly reach: readonly number[];
}

/** How much of a history goes into its basis. */
interface PathBasisOptions {
  /** Directions that are wanted. */
  axes: number;
  /** Multiplications: a row takes the square of its dimensions. 1e9 of them take about a second. */
  work: number;
  /** Only the first so many dimensions take part: the eigenvectors of large matrices take seconds. */
  mostDims?: number;
  signal?: AbortSignal | undefined;
}

const mostStates = 200;
/** Of large states so many are read all the same, with fewer rows of each, where they are not more than so many bytes. */
const fewStates = 24;
const fewStatesBytes = 32 * 2 ** 20;

/** The principal components of the rows of states evenly spread over a whole training: one linear basis for every moment. */
export async function pathBasis(history: History, { axes: wanted, work, mostDims = history.dims, signal }: PathBasisOptions): Promise<PathBasis> {
  const used = Math.min(history.dims, mostDims);
  const sample = new PathSample(history, Math.ceil(work / used ** 2));
  const cloud = new GrowingCloud(used);
  await runHere(
    sample.rows((values) => cloud.add(used === history.dims ? values : values.subarray(0, used))),
    sample.length,
    { signal },
  );
  const { principalComponents } = await import("./spread.js");
  const { axes, explained } = principalComponents(cloud, wanted);
  const whole = { center: padded(cloud.mean, history.dims), axes: axes.map((axis) => padded(axis, history.dims)) };
  const reach = axes.map(() => 0);
  const measure = (values: Float64Array) => {
    for (const [index, along] of seenFrom(whole, values).entries()) reach[index] = Math.max(reach[index] ?? 0, Math.abs(along));
  };
  await runHere(sample.rows(measure), sample.length, { signal });
  return { ...whole, explained, reach };
}

/** Where a row is in the view: its coordinates along the axes. */
export function seenFrom({ center, axes }: Pick<PathBasis, "center" | "axes">, values: ArrayLike<number>): number[] {
  return axes.map((axis) => axis.reduce((sum, direction, dim) => sum + direction * ((values[dim] ?? 0) - (center[dim] ?? 0)), 0));
}

function padded(values: Float64Array, length: number): Float64Array {
  const target = new Float64Array(length);
  target.set(values);
  return target;
}

/** Rows of a history at equal distances in both directions, read through the same memory each time. */
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
