import { expect, test } from "vitest";
import { componentsOfLinks, neighbours, placedInCircles } from "../../../../src/figures/runs/topology.js";
import { figureOf, marksOf, type StateRows } from "../run-of-states.js";

test("components are the connected parts, the largest first", () => {
  const links = [
    [1, 4],
    [4, 5],
    [0, 2],
  ] as const;
  expect(componentsOfLinks(7, links).map((nodes) => [...nodes].sort())).toEqual([[1, 4, 5], [0, 2], [3], [6]]);
});

test("no two nodes share a place, and all are inside the extent", () => {
  const components = componentsOfLinks(30, [
    [0, 1],
    [1, 2],
    [2, 3],
    [10, 11],
  ]);
  const { x, y, extent } = placedInCircles(components);
  expect(new Set(x.map((value, node) => `${value} ${y[node]}`)).size).toBe(30);
  expect(x.every((value) => value > 0 && value < extent.width)).toBe(true);
  expect(y.every((value) => value > 0 && value < extent.height)).toBe(true);
});

/** Between 2 and 4, the lattice cells of bfloat16 are 1/64 wide. */
const cell = 1 / 64;

test("rows that differ by one cell in each weight are linked, and those that differ by two in one are not", async () => {
  const rows: StateRows = [
    [2, 2],
    [2 + cell, 2 - cell / 2], // below 2 the cells are half as wide
    [2 - cell, 2],
    [3, 3],
  ];
  const graph = await figureOf(neighbours, { states: [rows] });
  expect(marksOf(graph, "links")[0]?.x1).toHaveLength(1);
  expect(graph.caption).toContain("4 nodes, 1 edge, 3 components, the largest of 2 nodes");
});

test("a black hole is one node with its population and all its tokens, whatever the order of the rows", async () => {
  const rows: StateRows = [
    [2, 2],
    [3, 3],
    [2, 2],
    [2, 2],
  ];
  for (const tokens of [
    [65, 66, 67, 68],
    [68, 67, 66, 65],
  ]) {
    const [single, holes] = marksOf(await figureOf(neighbours, { states: [rows], tokens }), "dots");
    expect(single?.x).toHaveLength(1);
    expect(holes?.labels).toEqual(["×3"]);
    expect(holes?.names).toEqual([tokens[0] === 65 ? "A C D" : "A B D"]);
  }
});

test("a row with NaN is nobody's neighbour", async () => {
  const rows = [
    [2, Number.NaN],
    [2, Number.NaN],
    [2, 2],
    [2, 2 + cell],
  ];
  expect((await figureOf(neighbours, { states: [rows] })).caption).toContain("4 nodes, 1 edge, 3 components");
});

test("a run without a lattice, and one with more distinct rows than can be drawn, say so", async () => {
  await expect(figureOf(neighbours, { states: [[[2], [3]]], dtype: "F32" })).rejects.toThrow("only bfloat16");
  const many = Array.from({ length: 601 }, (_, row) => [2 ** Math.floor(row / 100) * (1 + (row % 100) / 128)]);
  await expect(figureOf(neighbours, { states: [many] })).rejects.toThrow("601 distinct rows, and at most 600");
});
