import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { type Matrix, requireMatrix } from "../../formats/matrix.js";
import { count as countOf, figure, groupDigits } from "../../text/format.js";
import { defineAnalysis, latticeFor } from "../analysis.js";
import { rowClasses, selectRows } from "../census/census.js";
import { rowValues } from "../census/row-values.js";
import { count, counts } from "../document-fields.js";
import { type AnalysisSettingsInput, defaultSettings, type ScanOptions } from "../scan/observation.js";
import { runHere } from "../scan/run-in-parts.js";

const magnitudeMask = 0x7fff;
const infinityBits = 0x7f80;

/** Position of a bfloat16 on the line of all bfloat16s in order of value: neighbours differ by 1, and ±0 are both 0. */
export function latticePosition(bits: number): number {
  const magnitude = bits & magnitudeMask;
  return bits === magnitude ? magnitude : -magnitude;
}

/**
 * The unique rows of a bfloat16 matrix `[tokens, dims]` on the lattice.
 * @returns points `[nodes, dims]`, row-major; the first row of each node, ascending; and 1 for each node with NaN, which has no position on the lattice.
 */
export function latticePoints(matrix: Matrix): Readonly<{ points: Int32Array; firstRows: Int32Array; hasNan: Uint8Array }> {
  const { dtype, bytes, rows, columns } = matrix;
  const classes = rowClasses(rowValues(dtype, bytes, columns), selectRows(rows));
  const firstRows = classes.filter((first, row) => first === row);
  const bits = new Uint16Array(new Uint8Array(bytes).buffer);
  const points = new Int32Array(firstRows.length * columns);
  const hasNan = new Uint8Array(firstRows.length);
  for (const [node, row] of firstRows.entries()) {
    for (let dim = 0; dim < columns; dim++) {
      const position = latticePosition(bits[row * columns + dim] ?? 0);
      points[node * columns + dim] = position;
      if (Math.abs(position) > infinityBits) hasNan[node] = 1;
    }
  }
  return { points, firstRows, hasNan };
}

const wholeGraph = z.strictObject({
  /** Maximum difference of neighbours, in cells. */
  k: count,
  nodes: count,
  edges: count,
  components: count,
  /** Nodes of each component, descending. */
  componentSizes: counts,
  largestComponent: count,
  /** Nodes without an edge. */
  isolated: count,
  /** Edges over N(N−1)/2; 0 for fewer than two nodes. */
  density: z.number(),
  /** Edges of each node. */
  degrees: counts,
  /** L∞ distance in cells to the nearest other node; null for a row with NaN, and if there is no other. */
  nearest: z.array(count.nullable()).readonly(),
  /** Token of the first row of each node; nodes are in the order of these rows. */
  firstTokens: counts,
});
/** The graph of the unique rows of a bfloat16 matrix, with edges between lattice neighbours. Arrays have one entry per node. */
export type Topology = Readonly<z.output<typeof wholeGraph>>;

/** Disjoint sets of nodes. */
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
      // Path halving keeps later walks short.
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

/** L∞ distance of two points, or any number above `limit` if it is above. */
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

/** Options of `topology`. */
export interface TopologyOptions extends Pick<ScanOptions, "signal" | "onProgress">, Pick<AnalysisSettingsInput, "k"> {}

/**
 * The graph of lattice neighbours among the unique rows of a bfloat16 matrix. The lattice numbers all bfloat16s in order of value; ±0 coincide, and ±∞ follow the
 * largest numbers. Every pair of unique rows is compared, so time grows with the square of their number (10,000 rows of 64 take about a second).
 * @param matrix `[tokens, dims]`.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for another dtype; `USAGE` if `k` is not a whole number; `ABORTED`.
 */
export async function topology(matrix: Matrix, options: TopologyOptions = {}): Promise<Topology> {
  requireMatrix(matrix, "matrix");
  const k = options.k ?? defaultSettings.k;
  if (matrix.dtype !== "BF16") throw new BhBridgeError("FORMAT_UNSUPPORTED", `a ${matrix.dtype} matrix has no lattice: only bfloat16 has a topology`);
  if (!Number.isInteger(k) || k < 0) throw new BhBridgeError("USAGE", `k: must be a whole number of cells, got ${k}`);
  return await runHere(connect(matrix, k), matrix.rows, options);
}

const graph = wholeGraph.partial({ degrees: true, nearest: true, firstTokens: true });
const schema = z.strictObject({ initial: graph.optional(), final: graph.optional() }).describe("Unique rows as nodes, neighbours on the lattice as edges");

/** The graph of lattice neighbours among the unique rows of the first and last state. */
export const topologyAnalysis = defineAnalysis({
  name: "topology",
  schema,
  needs: [latticeFor()],
  async finish({ history, timeline, settings: { k, maxNodes }, signal, leaveOut, perToken }) {
    const { readState } = await import("../../formats/history.js");
    const graphs: z.output<typeof schema> = {};
    for (const [name, state] of [["initial", 0] as const, ["final", history.states - 1] as const]) {
      const nodes = timeline.unique[state] ?? 0;
      if (nodes > maxNodes) {
        leaveOut([name], `${countOf(nodes, "unique row")}, more than ${groupDigits(maxNodes)} (maxNodes)`);
        continue;
      }
      const { degrees, nearest, firstTokens, ...figures } = await topology(readState(history, state), { k, signal });
      graphs[name] = { ...figures, ...perToken({ degrees, nearest, firstTokens }, nodes, `${name}.`) };
    }
    return graphs;
  },
  title: "Topology",
  print({ initial, final }) {
    const graphs = [...(initial ? [["initial", initial] as const] : []), ...(final ? [["final", final] as const] : [])];
    const rows = graphs.map(([name, { nodes, edges, components, largestComponent, isolated, density }]) => [
      name,
      ...[nodes, edges, components, largestComponent, isolated].map(groupDigits),
      figure(density),
    ]);
    if (rows.length === 0) return [];
    const k = initial?.k ?? final?.k ?? 0;
    return [
      `Neighbours differ by at most ${countOf(k, "lattice cell")} in every component`,
      { head: ["state", "nodes", "edges", "components", "largest", "isolated", "density"], rows },
    ];
  },
});
