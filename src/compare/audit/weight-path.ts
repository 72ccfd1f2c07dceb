import type { FileFacts, TensorSample } from "./read-checkpoint.js";

/** Standard errors beyond which a correlation is not taken for chance: 7 in 1,000,000 pairs of independent weights. */
const certainty = 4.5;
/** Two checkpoints are independent only if this share of the earlier one's weights would have been found in the later one. */
const detectableShare = 0.2;
/** Correlation of consecutive checkpoints that shows how much a training preserves. */
const preserved = 0.5;

/** A checkpoint that fits elsewhere in its series, or two that fit in each other's place; between two others by position, undefined beyond an end. */
interface Misfit {
  readonly at: readonly number[];
  readonly between: readonly [number | undefined, number | undefined];
}

/** What the weights of one file say about the order of a series. Positions are those of the series. */
export interface PathFaults {
  readonly misfits: readonly Misfit[];
  /** Checkpoints that are independent of both neighbours, which belong together. */
  readonly foreign: readonly number[];
  /** Checkpoints that do not descend from the previous one. */
  readonly breaks: readonly number[];
  /** Whether the first two checkpoints could not be compared, as a descendant might look the same. */
  readonly isStartUndecided: boolean;
}

/** The same file in several checkpoints: a path through the space of weights. */
export class WeightPath {
  /** Positions in the series, one for each different content. */
  readonly positions: readonly number[];
  readonly #steps: readonly (number | null)[];
  readonly #samples: ReadonlyMap<number, readonly TensorSample[]>;
  readonly #distances = new Map<number, number>();

  /**
   * @param files of the checkpoints at the positions of the series; those without the file, or with another shape, are undefined.
   * @param steps of all checkpoints of the series.
   */
  constructor(files: readonly (FileFacts | undefined)[], steps: readonly (number | null)[]) {
    this.#steps = steps;
    this.#samples = new Map(files.flatMap((file, position) => (file ? [[position, file.samples] as const] : [])));
    const equal = new Map<string, number[]>();
    for (const [position, file] of files.entries()) if (file) equal.set(file.sampleHash, [...(equal.get(file.sampleHash) ?? []), position]);
    const single = [...equal.values()].flatMap((group) => (group.length === 1 ? group : []));
    const repeated = [...equal.values()].filter((group) => group.length > 1).map((group) => this.#best(group, single));
    this.positions = [...single, ...repeated].sort((a, b) => a - b);
  }

  /** The position of equal contents where they fit. */
  bestOf(group: readonly number[]): number {
    return this.#best(
      group,
      this.positions.filter((position) => !group.includes(position)),
    );
  }

  faults(): PathFaults {
    const tensors = (this.#samples.get(this.positions[0] ?? -1) ?? []).map((_, tensor) => tensor);
    const links = this.#links(tensors);
    const own = this.positions.filter((position) => !links.foreign.includes(position));
    const perTensor = tensors.map((tensor) => this.#misfits(own, tensor));
    const [first = []] = perTensor;
    const isSeenBy = (misfits: readonly Misfit[], { at }: Misfit) => misfits.some((other) => other.at.some((position) => at.includes(position)));
    return { misfits: first.filter((misfit) => perTensor.every((misfits) => isSeenBy(misfits, misfit))), ...links };
  }

  #best(group: readonly number[], others: readonly number[]): number {
    const sorted = [...others].sort((a, b) => a - b);
    const costs = group.map((at) => {
      const before = sorted.filter((position) => position < at).length;
      return this.#detour(sorted, before, at, 0);
    });
    return group[costs.indexOf(Math.min(...costs))] ?? 0;
  }

  #distance(a: number, b: number, tensor: number): number {
    const key = (Math.min(a, b) * this.#steps.length + Math.max(a, b)) * 2 + tensor;
    const known = this.#distances.get(key);
    if (known !== undefined) return known;
    const [left, right] = [this.#values(a, tensor), this.#values(b, tensor)];
    const stride = Math.ceil(this.#samples.size ** 2 * left.length * 1e-9); // pairs are quadratic: about 1e9 differences in all
    let squares = 0;
    for (let index = 0; index < left.length; index += stride) squares += ((left[index] ?? 0) - (right[index] ?? 0)) ** 2;
    const distance = Math.sqrt(squares);
    this.#distances.set(key, distance);
    return distance;
  }

  #values(position: number, tensor: number): Float32Array {
    return this.#samples.get(position)?.[tensor]?.values ?? new Float32Array();
  }

  /** How much longer a path becomes with one more point before its point `spot`. */
  #detour(path: readonly number[], spot: number, point: number, tensor: number): number {
    const [before, after] = [path[spot - 1], path[spot]];
    const to = before === undefined ? 0 : this.#distance(before, point, tensor);
    const from = after === undefined ? 0 : this.#distance(point, after, tensor);
    return to + from - (before === undefined || after === undefined ? 0 : this.#distance(before, after, tensor));
  }

  /**
   * Move checkpoints to where they lengthen the path by less than half, the largest gain first. In a training whose consecutive moves are not opposed, the path in
   * the order of steps is the shortest: a random walk passes a point with a detour of 0.59 steps, and with 1.41 in a wrong order; a stationary one has equal detours everywhere.
   */
  #misfits(positions: readonly number[], tensor: number): Misfit[] {
    let path = [...positions];
    const found: Misfit[] = [];
    while (path.length > 3 && found.length < maxMoves) {
      const moves = path.map((point, spot) => this.#bestMove(path, spot, point, tensor));
      const best = moves.reduce((a, b) => (b.gain > a.gain ? b : a));
      if (best.gain <= 0) break;
      const others = path.filter((point) => point !== best.point);
      const neighbour = Math.abs(best.from - best.to) === 1 ? path[best.to] : undefined;
      found.push({ at: [best.point, ...(neighbour === undefined ? [] : [neighbour])].sort((a, b) => a - b), between: [others[best.to - 1], others[best.to]] });
      path = [...others.slice(0, best.to), best.point, ...others.slice(best.to)];
    }
    return found.filter(({ at }, index) => found.findIndex((other) => other.at.join() === at.join()) === index);
  }

  #bestMove(path: readonly number[], from: number, point: number, tensor: number): { point: number; from: number; to: number; gain: number } {
    const others = path.filter((_, spot) => spot !== from);
    const cost = this.#detour(others, from, point, tensor);
    const nearest = Math.min(...[others[from - 1], others[from]].flatMap((other) => (other === undefined ? [] : [this.#distance(other, point, tensor)])));
    let [to, least] = [from, cost];
    for (let spot = 0; spot <= others.length; spot++) {
      const other = spot === from ? cost : this.#detour(others, spot, point, tensor);
      if (other < least) [to, least] = [spot, other];
    }
    const isMisfit = least < cost / 2 && cost - least > nearest / 2;
    return { point, from, to, gain: isMisfit ? cost - least : 0 };
  }

  #links(tensors: readonly number[]): Omit<PathFaults, "misfits"> {
    const { positions } = this;
    const [foreign, breaks]: [number[], number[]] = [[], []];
    const link = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? "unknown" : this.#link(a, b, tensors));
    for (let index = 0; index + 1 < positions.length; index++) {
      const [a = 0, b = 0, c] = positions.slice(index, index + 3);
      if (link(a, b) !== "independent") continue;
      if (link(b, c) === "independent" && this.#preserved(a, c ?? a, tensors) > preserved) {
        foreign.push(b);
        index++;
      } else if (this.#isExpected(index, tensors)) breaks.push(b);
    }
    const [start, next] = positions;
    return { foreign, breaks, isStartUndecided: this.#steps[start ?? 0] === 0 && next !== undefined && link(start, next) === "unknown" };
  }

  /** Whether neighbouring links preserve so much that this one should have preserved a quarter. */
  #isExpected(index: number, tensors: readonly number[]): boolean {
    const { positions } = this;
    const stepsOf = (at: number) => (this.#steps[positions[at + 1] ?? 0] ?? 0) - (this.#steps[positions[at] ?? 0] ?? 0);
    const kept = [index - 1, index + 1].flatMap((at) => {
      const [a, b] = [positions[at], positions[at + 1]];
      if (a === undefined || b === undefined) return [];
      const correlation = this.#preserved(a, b, tensors);
      const power = stepsOf(at) > 0 ? stepsOf(index) / stepsOf(at) : 1;
      return [correlation > preserved ? correlation ** power : 0];
    });
    return kept.length > 0 && Math.max(...kept) > preserved / 2;
  }

  #preserved(a: number, b: number, tensors: readonly number[]): number {
    return Math.min(...tensors.map((tensor) => this.#correlation(a, b, tensor).correlation));
  }

  /** Whether the later of two checkpoints contains the earlier one's weights, by all tensors of the file. */
  #link(a: number, b: number, tensors: readonly number[]): "related" | "independent" | "unknown" {
    const links = tensors.map((tensor) => {
      const { correlation, growth, error } = this.#correlation(a, b, tensor);
      if (Math.abs(correlation) > error) return "related";
      return error * growth < detectableShare ? "independent" : "unknown";
    });
    return links.includes("related") ? "related" : links.includes("independent") ? "independent" : "unknown";
  }

  /** Correlation of the weights without the mean row; its error if they are independent; growth of their standard deviation from `a` to `b`. */
  #correlation(a: number, b: number, tensor: number): { correlation: number; growth: number; error: number } {
    const columns = this.#samples.get(a)?.[tensor]?.columns ?? 1;
    const [left, right] = [centred(this.#values(a, tensor), columns), centred(this.#values(b, tensor), columns)];
    let [aa, bb, ab] = [0, 0, 0];
    for (let index = 0; index < left.length; index++) {
      const [x = 0, y = 0] = [left[index], right[index]];
      aa += x * x;
      bb += y * y;
      ab += x * y;
    }
    if (aa === 0 || bb === 0) return { correlation: 0, growth: Number.POSITIVE_INFINITY, error: 1 };
    return { correlation: ab / Math.sqrt(aa * bb), growth: Math.sqrt(bb / aa), error: certainty / Math.sqrt(Math.max(1, left.length - columns)) };
  }
}

const maxMoves = 20;

function centred(values: Float32Array, columns: number): Float64Array {
  const rows = values.length / columns;
  const means = new Float64Array(columns);
  for (let index = 0; index < values.length; index++) means[index % columns] = (means[index % columns] ?? 0) + (values[index] ?? 0) / rows;
  return Float64Array.from(values, (value, index) => value - (means[index % columns] ?? 0));
}
