import { census } from "../../analysis/census/census.js";
import { latticePoints } from "../../analysis/topology/topology.js";
import { readState } from "../../formats/history.js";
import { count } from "../../text/format.js";
import { tokenName } from "../../text/names.js";
import { markerRadius } from "../draw/markers.js";
import { analysedSteps, axis, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

/** Connected components of a graph by descending size, then by first node. */
export function componentsOfLinks(nodes: number, links: readonly (readonly [number, number])[]): number[][] {
  const next = Array.from({ length: nodes }, (): number[] => []);
  for (const [a, b] of links) {
    next[a]?.push(b);
    next[b]?.push(a);
  }
  const seen = new Set<number>();
  const components: number[][] = [];
  for (let start = 0; start < nodes; start++) {
    if (seen.has(start)) continue;
    seen.add(start);
    const component = [start];
    for (const node of component) {
      for (const other of next[node] ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        component.push(other);
      }
    }
    components.push(component);
  }
  return components.sort((a, b) => b.length - a.length || (a[0] ?? 0) - (b[0] ?? 0));
}

/** Distance of neighbours on a circle, and margin of a component. */
const spacing = 1;
/** Ratio of width to height, which leaves room for labels. */
const proportion = 2.4;

/** Positions of the nodes: each component is a circle, and the circles are in rows from left to right. */
export function placedInCircles(components: readonly (readonly number[])[]): { x: number[]; y: number[]; extent: { width: number; height: number } } {
  const radii = components.map(({ length }) => (length === 1 ? 0 : Math.max(0.6, (length * spacing) / (2 * Math.PI))));
  const area = radii.reduce((sum, radius) => sum + (2 * radius + 1.4 * spacing) ** 2, 0);
  const width = Math.max(Math.sqrt(area * proportion), 2 * (radii[0] ?? 0) + 2 * spacing, 8);
  const [x, y]: [number[], number[]] = [[], []];
  let left = 0;
  let top = 0;
  let rowHeight = 0;
  for (const [index, component] of components.entries()) {
    const radius = radii[index] ?? 0;
    const size = 2 * radius + 1.4 * spacing;
    if (left + size > width && left > 0) {
      left = 0;
      top += rowHeight;
      rowHeight = 0;
    }
    for (const [position, node] of component.entries()) {
      const angle = (2 * Math.PI * position) / component.length - Math.PI / 2;
      x[node] = left + size / 2 + radius * Math.cos(angle);
      y[node] = top + size / 2 + radius * Math.sin(angle);
    }
    left += size;
    rowHeight = Math.max(rowHeight, size);
  }
  return { x, y, extent: { width, height: top + Math.max(rowHeight, 1.4 * spacing) } };
}

/** Maximum number of nodes that can be told apart. */
const mostNodes = 600;

interface Neighbours {
  readonly step: number;
  readonly k: number;
  readonly nodes: readonly { readonly name: string; readonly population: number; readonly members: readonly string[] }[];
  readonly links: readonly (readonly [number, number])[];
}

async function read(run: RunSource): Promise<Neighbours | Absent> {
  const history = await run.history();
  const analysis = await run.analysis();
  if (history.dtype !== "BF16") return { absent: "only bfloat16 weights have a lattice" };
  const matrix = readState(history, history.states - 1);
  const k = analysis.topology?.final?.k ?? 1;
  const { points, firstRows, hasNan } = latticePoints(matrix);
  if (firstRows.length > mostNodes)
    return { absent: `it ends with ${firstRows.length.toLocaleString("en")} distinct rows, and at most ${mostNodes} can be drawn` };
  const holes = new Map(census(matrix).members.flatMap((members) => members.map((token) => [token, members])));
  const text = (token: number) => tokenName(token, history.rowTokens.text?.(token));
  const nodes = [...firstRows].map((row) => {
    const token = history.rowTokens.ofRow(row);
    const members = holes.get(token) ?? [token];
    return { name: text(token), population: members.length, members: members.map(text) };
  });
  const links: [number, number][] = [];
  for (let a = 0; a < nodes.length; a++) {
    for (let b = a + 1; b < nodes.length; b++) if (!hasNan[a] && !hasNan[b] && areNeighbours(points, matrix.columns, a, b, k)) links.push([a, b]);
  }
  return { step: analysedSteps(analysis).at(-1) ?? 0, k, nodes, links };
}

function areNeighbours(points: Int32Array, dims: number, a: number, b: number, k: number): boolean {
  for (let dim = 0; dim < dims; dim++) if (Math.abs((points[a * dims + dim] ?? 0) - (points[b * dims + dim] ?? 0)) > k) return false;
  return true;
}

/** The distinct rows of the last state as a graph, with edges between lattice neighbours. */
export const neighbours = defineRunFigure({
  name: "topology",
  overlays: false,
  read,
  omits: ({ links }) => (links.length > 0 ? null : "omitted by default, as no two rows of the last snapshot are neighbours on the lattice"),
  describe([run]) {
    const { step = 0, k = 1, nodes = [], links = [] } = run?.data ?? {};
    const components = componentsOfLinks(nodes.length, links);
    const { x, y, extent } = placedInCircles(components);
    const ends = (end: 0 | 1, places: readonly number[]) => links.map((link) => places[link[end]] ?? 0);
    const isHole = (node: number) => (nodes[node]?.population ?? 1) > 1;
    const dots = (series: number, wanted: (node: number) => boolean) => {
      const own = nodes.map((_, node) => node).filter(wanted);
      return {
        mark: "dots" as const,
        series,
        x: own.map((node) => x[node] ?? 0),
        y: own.map((node) => y[node] ?? 0),
        radius: own.map((node) => markerRadius(nodes[node]?.population ?? 1, most)),
        names: own.map((node) => (nodes[node]?.members ?? []).slice(0, 60).join(" ")),
        labels: own.map((node) => (isHole(node) ? `×${nodes[node]?.population}` : (nodes[node]?.name ?? ""))),
      };
    };
    const blank = (domain: [number, number]) => axis("", null, { domain, ticks: [] });
    const most = nodes.reduce((most, { population }) => Math.max(most, population), 1);
    const largest = components[0]?.length ?? 0;
    return {
      title: `Neighbours on the lattice after step ${step.toLocaleString("en")}`,
      caption: `A node is a distinct row; two have an edge when no weight differs by more than ${k === 1 ? "one lattice cell" : `${k} lattice cells`}. ${count(nodes.length, "node")}, ${count(links.length, "edge")}, ${count(components.length, "component")}, the largest of ${count(largest, "node")}. Positions have no meaning: components are arranged by size.`,
      series: [seriesOf("one token", 0), seriesOf("black hole", 1)],
      panels: [
        {
          title: "",
          x: blank([0, extent.width]),
          y: blank([extent.height, 0]),
          equal: true,
          marks: [
            { mark: "links", series: 0, x1: ends(0, x), y1: ends(0, y), x2: ends(1, x), y2: ends(1, y) },
            dots(0, (node) => !isHole(node)),
            dots(1, isHole),
          ],
        },
      ],
      columns: 1,
    };
  },
});
