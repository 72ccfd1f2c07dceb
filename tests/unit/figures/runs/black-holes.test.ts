import { expect, test } from "vitest";
import { blackHoles } from "../../../../src/figures/runs/black-holes.js";
import { figureOf, linesOf, marksOf, type StateRows } from "../run-of-states.js";

const apart: StateRows = [[1], [2], [4], [8]];
const together: StateRows = [[1], [1], [4], [4]];

test("tokens in black holes, distinct rows, holes and groups of neighbours are counted in every state", async () => {
  const cell = 1 / 128; // from 1 to 2
  const neighbours: StateRows = [[1], [1 + cell], [1 + 2 * cell], [4]];
  const lines = linesOf(await figureOf(blackHoles, { states: [apart, neighbours, together] }));
  expect(lines).toEqual({
    "tokens in black holes (P)": [
      [0, 1, 2],
      [0, 0, 4],
    ],
    "distinct rows": [
      [0, 1, 2],
      [4, 4, 2],
    ],
    components: [
      [0, 1, 2],
      [4, 2, 2],
    ],
    "black holes (C)": [
      [0, 1, 2],
      [0, 0, 2],
    ],
  });
});

test("where states were recorded at some steps, they stand at these", async () => {
  const lines = linesOf(await figureOf(blackHoles, { states: [apart, apart, together], steps: [0, 10, 20] }));
  expect(lines["black holes (C)"]).toEqual([
    [0, 10, 20],
    [0, 0, 2],
  ]);
  expect(lines["components"]?.[0]).toEqual([0, 10, 20]);
});

test("weights without a lattice have no components, and the rest all the same", async () => {
  const { series } = await figureOf(blackHoles, { states: [apart, together], dtype: "F32" });
  expect(series.map(({ name }) => name)).toEqual(["tokens in black holes (P)", "distinct rows", "black holes (C)"]);
});

test("of a long history, components are counted in some states, close together at its beginning, its ends among them", async () => {
  const states = Array.from({ length: 1200 }, () => apart);
  const figure = await figureOf(blackHoles, { states });
  expect(linesOf(figure)["components"]).toBeUndefined(); // a line would claim numbers between these states
  const steps = marksOf(figure, "dots")[0]?.x ?? [];
  expect([steps[0], steps.at(-1)]).toEqual([0, 1199]);
  expect(steps.length).toBeLessThanOrEqual(250);
  expect(steps.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
  expect(figure.caption).toContain(`counted in ${steps.length} snapshots`);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
});
