import { expect, test } from "vitest";
import { neighbours } from "../../../../src/figures/runs/neighbours.js";
import { isAbsent } from "../../../../src/figures/runs/run-figure.js";
import { runOfStates, type StateRows } from "../run-of-states.js";

/** Between 2 and 4, the lattice cells of bfloat16 are 1/64 wide. */
const cell = 1 / 64;

async function graphOf(rows: StateRows, tokens?: readonly number[], dtype: "BF16" | "F32" = "BF16") {
  using run = runOfStates({ states: [rows, rows], dtype, ...(tokens && { tokens }) });
  const data = await neighbours.read(run);
  if (isAbsent(data)) return data.absent;
  return neighbours.describe([{ label: "run", source: { name: "run", hash: "0" }, data }]);
}

async function marksOf(...args: Parameters<typeof graphOf>) {
  const graph = await graphOf(...args);
  if (typeof graph === "string") throw new Error(graph);
  const [links, single, holes] = graph.panels[0]?.marks ?? [];
  if (links?.mark !== "links" || single?.mark !== "dots" || holes?.mark !== "dots") throw new Error("not a graph");
  return { caption: graph.caption, links, single, holes };
}

test("rows that differ by one cell in each weight are linked, and those that differ by two in one are not", async () => {
  const { caption, links } = await marksOf([
    [2, 2],
    [2 + cell, 2 - cell / 2], // below 2 the cells are half as wide
    [2 - cell, 2],
    [3, 3],
  ]);
  expect(links.x1).toHaveLength(1);
  expect(caption).toContain("4 nodes, 1 edge, 3 components, the largest of 2 nodes");
});

test("a black hole is one node with its population and all its tokens, whatever the order of the rows", async () => {
  const rows = [
    [2, 2],
    [3, 3],
    [2, 2],
    [2, 2],
  ];
  for (const tokens of [undefined, [68, 67, 66, 65]]) {
    const { single, holes } = await marksOf(rows, tokens);
    expect(single.x).toHaveLength(1);
    expect(holes.labels).toEqual(["×3"]);
    expect(holes.names).toEqual([tokens ? "A B D" : "0 2 3"]);
  }
});

test("a run without a lattice, and one with more distinct rows than can be drawn, say so", async () => {
  expect(await graphOf([[2], [3]], undefined, "F32")).toContain("only bfloat16");
  const many = Array.from({ length: 601 }, (_, row) => [2 ** Math.floor(row / 100) * (1 + (row % 100) / 128)]);
  expect(await graphOf(many)).toContain("601 distinct rows, more than 600");
});
