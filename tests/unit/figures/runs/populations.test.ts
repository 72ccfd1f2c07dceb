import { expect, test } from "vitest";
import { populations } from "../../../../src/figures/runs/black-holes.js";
import { figureOf, marksOf } from "../run-of-states.js";

const letters = (count: number) => Array.from({ length: count }, (_, index) => 65 + index);

test("each black hole of the last state is a bar as long as its population, with its tokens, the largest first", async () => {
  const last = [[1], [2], [3], [3], [1], [3]];
  const figure = await figureOf(populations, { states: [last.map((_, row) => [row]), last], steps: [0, 1000], tokens: letters(6) });
  expect(marksOf(figure, "bars")).toMatchObject([{ names: ["#1", "#2"], values: [3, 2], notes: ["3:  C D F", "2:  A E"] }]);
  expect(figure.title).toBe("Black holes after step 1,000");
});

test("of many black holes the largest are shown, and it is said how many are not", async () => {
  const rows = [[0], ...Array.from({ length: 40 }, (_, row) => [Math.floor(row / 2)])];
  const figure = await figureOf(populations, { states: [rows] });
  expect(marksOf(figure, "bars")[0]?.values).toEqual([3, ...Array.from({ length: 15 }, () => 2)]);
  expect(figure.caption).toContain("4 smaller ones are omitted");
});

test("where all rows differ, that is said", async () => {
  await expect(figureOf(populations, { states: [[[1], [2]]] })).rejects.toThrow("no black hole");
});
