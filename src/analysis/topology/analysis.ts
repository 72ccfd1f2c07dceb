import { z } from "zod";
import { count as countOf, figure, groupDigits } from "../../text/format.js";
import { defineAnalysis, latticeFor } from "../analysis.js";
import { count, counts } from "../document-fields.js";

const graph = z.strictObject({
  k: count,
  nodes: count,
  edges: count,
  components: count,
  componentSizes: counts,
  largestComponent: count,
  isolated: count,
  density: z.number(),
  degrees: counts.optional(),
  nearest: z.array(count.nullable()).readonly().optional(),
  firstTokens: counts.optional(),
});

const schema = z.strictObject({ initial: graph.optional(), final: graph.optional() }).describe("Unique rows as nodes, neighbours on the lattice as edges");

/** The graph of lattice neighbours among the unique rows of the first and last state. */
export const topologyAnalysis = defineAnalysis({
  name: "topology",
  schema,
  needs: [latticeFor()],
  async finish({ history, timeline, settings: { k, maxNodes }, signal, leaveOut, perToken }) {
    const [{ topology }, { readState }] = await Promise.all([import("./topology.js"), import("../../formats/history.js")]);
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
