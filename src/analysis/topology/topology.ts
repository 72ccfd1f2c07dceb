import { BhBridgeError } from "../../errors.js";
import { type Matrix, requireMatrix } from "../../formats/matrix.js";
import { rowClasses, selectRows } from "../census/census.js";
import { rowValues } from "../census/row-values.js";
import { type AnalysisSettingsInput, defaultSettings, type ScanOptions } from "../scan/observation.js";
import { runHere } from "../scan/run-in-parts.js";

const magnitudeMask = 0x7fff;
const infinityBits = 0x7f80;

/** The unique rows of a bfloat16 matrix as points with whole coordinates. */
interface LatticePoints {
  /** `[nodes, dims]`, row-major. */
  readonly points: Int32Array;
  /** The first row of each, ascending. */
  readonly firstRows: Int32Array;
  /** 1 for a row with NaN, which has no place on the lattice. */
  readonly hasNan: Uint8Array;
}

/** Place of a bfloat16 on the line of all bfloat16s in the order of their values: neighbours differ by 1, and ±0 are both 0. */
export function latticePlace(bits: number): number {
  const magnitude = bits & magnitudeMask;
  return bits === magnitude ? magnitude : -magnitude;
}

/** The unique rows of a bfloat16 matrix `[tokens, dims]` on the lattice, in the order of their first row. */
export function latticePoints(matrix: Matrix): LatticePoints {
  const { dtype, bytes, rows, columns } = matrix;
  const classes = rowClasses(rowValues(dtype, bytes, columns), selectRows(rows));
  const firstRows = classes.filter((first, row) => first === row);
  const bits = new Uint16Array(new Uint8Array(bytes).buffer);
  const points = new Int32Array(firstRows.length * columns);
  const hasNan = new Uint8Array(firstRows.length);
  for (const [node, row] of firstRows.entries()) {
    for (let dim = 0; dim < columns; dim++) {
      const place = latticePlace(bits[row * columns + dim] ?? 0);
      points[node * columns + dim] = place;
      if (Math.abs(place) > infinityBits) hasNan[node] = 1;
    }
  }
  return { points, firstRows, hasNan };
}

/** The graph of the unique rows of a bfloat16 matrix, where neighbours on the lattice have an edge. Arrays have an entry a node. */
export interface Topology {
  /** Cells that neighbours differ by at most. */
  readonly k: number;
  readonly nodes: number;
  readonly edges: number;
  readonly components: number;
  /** Nodes of each component, descending. */
  readonly componentSizes: readonly number[];
  readonly largestComponent: number;
  /** Nodes without an edge. */
  readonly isolated: number;
  /** Edges over N(N−1)/2; 0 for fewer than two nodes. */
  readonly density: number;
  /** Edges of each node. */
  readonly degrees: readonly number[];
  /** L∞ distance in cells to the nearest other node; null for a row with NaN, and when there is no other. */
  readonly nearest: readonly (number | null)[];
  /** The token of the first row of each node; the nodes are in the order of these rows. */
  readonly firstTokens: readonly number[];
}

/** Disjoint sets of nodes, each named by one of them. */
class Components {
  readonly #parent: Int32Array;

  constructor(nodes: number) {
    this.#parent = Int32Array.from({ length: nodes }, (_, node) => node);
  }

  root(node: number): number {
    let current = node;
    for (;;) {
      const parent = this.#parent[current] ?? current;
      if (parent === current) return current;
      // Halving the path keeps later walks short.
      this.#parent[current] = this.#parent[parent] ?? parent;
      current = parent;
    }
  }

  join(a: number, b: number): void {
    this.#parent[this.root(a)] = this.root(b);
  }

  /** Sizes, descending. */
  sizes(): number[] {
    const sizes = new Map<number, number>();
    for (let node = 0; node < this.#parent.length; node++) {
      const root = this.root(node);
      sizes.set(root, (sizes.get(root) ?? 0) + 1);
    }
    return [...sizes.values()].sort((a, b) => b - a);
  }
}

/** L∞ distance of two points, or any number above `limit` as soon as it is known to be above it. */
function distance(points: Int32Array, dims: number, a: number, b: number, limit: number): number {
  let largest = 0;
  for (let dim = 0, i = a * dims, j = b * dims; dim < dims; dim++) {
    const cells = Math.abs((points[i + dim] ?? 0) - (points[j + dim] ?? 0));
    if (cells > largest) {
      if (cells > limit) return cells;
      largest = cells;
    }
  }
  return largest;
}

function* connect(matrix: Matrix, k: number): Generator<number, Topology> {
  const { points, firstRows, hasNan } = latticePoints(matrix);
  const nodes = firstRows.length;
  const dims = matrix.columns;
  const components = new Components(nodes);
  const degrees = new Int32Array(nodes);
  const nearest = new Float64Array(nodes).fill(Number.POSITIVE_INFINITY);
  let edges = 0;
  for (let a = 0; a < nodes; a++) {
    for (let b = a + 1; b < nodes && !hasNan[a]; b++) {
      if (hasNan[b]) continue;
      const limit = Math.max(nearest[a] ?? 0, nearest[b] ?? 0, k);
      const cells = distance(points, dims, a, b, limit);
      if (cells < (nearest[a] ?? 0)) nearest[a] = cells;
      if (cells < (nearest[b] ?? 0)) nearest[b] = cells;
      if (cells > k) continue;
      edges++;
      degrees[a] = (degrees[a] ?? 0) + 1;
      degrees[b] = (degrees[b] ?? 0) + 1;
      components.join(a, b);
    }
    yield a + 1;
  }
  const componentSizes = components.sizes();
  return {
    k,
    nodes,
    edges,
    components: componentSizes.length,
    componentSizes,
    largestComponent: componentSizes[0] ?? 0,
    isolated: degrees.filter((degree) => degree === 0).length,
    density: nodes < 2 ? 0 : edges / ((nodes * (nodes - 1)) / 2),
    degrees: Array.from(degrees),
    nearest: Array.from(nearest, (cells) => (Number.isFinite(cells) ? cells : null)),
    firstTokens: Array.from(firstRows, (row) => matrix.rowTokens.ofRow(row)),
  };
}

export interface TopologyOptions extends Pick<ScanOptions, "signal" | "onProgress">, Pick<AnalysisSettingsInput, "k"> {}

/**
 * Which unique rows of a bfloat16 matrix are neighbours on the lattice.
 *
 * Every pair of unique rows is looked at: time grows with the square of their number (10,000 rows of 64 take about a second).
 * The lattice is the integer line that bfloat16 bits lie on in the order of their values; ±0 coincide on it, and ±∞ follow the largest numbers.
 *
 * @param matrix `[tokens, dims]`.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for another dtype; `USAGE` when `k` is not a whole number; `ABORTED`.
 */
export async function topology(matrix: Matrix, options: TopologyOptions = {}): Promise<Topology> {
  requireMatrix(matrix, "matrix");
  const k = options.k ?? defaultSettings.k;
  if (matrix.dtype !== "BF16") throw new BhBridgeError("FORMAT_UNSUPPORTED", `a ${matrix.dtype} matrix has no lattice: only bfloat16 has a topology`);
  if (!Number.isInteger(k) || k < 0) throw new BhBridgeError("USAGE", `k is ${k}, but neighbours differ by a whole number of cells`);
  return await runHere(connect(matrix, k), matrix.rows, options);
}
