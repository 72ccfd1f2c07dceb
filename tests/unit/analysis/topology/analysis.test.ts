import { expect, test } from "vitest";
import { topologyAnalysis } from "../../../../src/analysis/topology/analysis.js";

const step = (state: number): number => state;
const graph = { k: 1, nodes: 1200, edges: 3, components: 1197, componentSizes: [4], largestComponent: 4, isolated: 1196, density: 0.5 };

test("the two graphs are two rows", () => {
  expect(topologyAnalysis.print({ initial: { ...graph, nodes: 2 }, final: graph }, step)).toEqual([
    "Neighbours differ by at most 1 lattice cell in every component",
    {
      head: ["state", "nodes", "edges", "components", "largest", "isolated", "density"],
      rows: [
        ["initial", "2", "3", "1,197", "4", "1,196", "0.5000"],
        ["final", "1,200", "3", "1,197", "4", "1,196", "0.5000"],
      ],
    },
  ]);
});

test("a graph that was too large is not told of", () => {
  const [line, table] = topologyAnalysis.print({ final: { ...graph, k: 0 } }, step);
  expect(line).toContain("0 lattice cells");
  expect(typeof table === "object" && table.rows.map(([state]) => state)).toEqual(["final"]);
  expect(topologyAnalysis.print({}, step)).toEqual([]);
});
