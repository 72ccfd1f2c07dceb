import { census } from "../../analysis/census.js";
import { latticePoints } from "../../analysis/lattice-points.js";
import { readState } from "../../formats/read-state.js";
import { count } from "../../text/count.js";
import { axis } from "../axes.js";
import { componentsOfLinks, placedInCircles } from "../circle-layout.js";
import { shownToken } from "../shown-token.js";
import { analysedSteps } from "../state-series.js";
import { seriesOf } from "../styled-series.js";
import { type Absent, defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

/** A graph of more nodes is a cloud of ink. */
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
  if (history.dtype !== "BF16") return { absent: "only bfloat16 weights lie on a lattice" };
  const matrix = readState(history, history.states - 1);
  const k = analysis.topology?.final?.k ?? 1;
  const { points, firstRows, hasNan } = latticePoints(matrix);
  if (firstRows.length > mostNodes)
    return { absent: `it ends with ${firstRows.length.toLocaleString("en")} distinct rows, more than ${mostNodes} can be drawn` };
  const holes = new Map(census(matrix).members.flatMap((members) => members.map((token) => [token, members])));
  const text = (token: number) => shownToken(token, history.rowTokens.text?.(token));
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

/** The distinct rows of the last state as a graph: neighbours on the lattice have an edge. */
export const neighbours = defineRunFigure({
  name: "topology",
  overlays: false,
  read,
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
        radius: own.map((node) => 3 + 1.4 * Math.sqrt((nodes[node]?.population ?? 1) - 1)),
        names: own.map((node) => (nodes[node]?.members ?? []).slice(0, 60).join(" ")),
        labels: own.map((node) => (isHole(node) ? `×${nodes[node]?.population}` : (nodes[node]?.name ?? ""))),
      };
    };
    const blank = (domain: [number, number]) => axis("", null, { domain, ticks: [] });
    const largest = components[0]?.length ?? 0;
    return {
      schema: "bh-bridge/figure@1",
      name: "topology",
      title: `Neighbours on the lattice after step ${step.toLocaleString("en")}`,
      caption: `A node is a distinct row; two have an edge when no weight differs by more than ${k === 1 ? "one lattice cell" : `${k} lattice cells`}. ${count(nodes.length, "node")}, ${count(links.length, "edge")}, ${count(components.length, "component")}, the largest of ${count(largest, "node")}. Places mean nothing: components stand side by side, the largest first.`,
      sources: run ? [run.source] : [],
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
