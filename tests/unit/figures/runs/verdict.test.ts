import { expect, test } from "vitest";
import { verdictFigure } from "../../../../src/figures/runs/verdict.js";
import { figureOf, marksOf, type StateRows } from "../run-of-states.js";

const rows = (...values: number[]): StateRows => values.map((value) => [value]);
const states = [rows(1, 1, 1, 1, 1), rows(2, 1, 1, 1, 1), rows(2, 3, 4, 1, 5)];

test("the areas are stacked from the dead tokens that are together to the live ones that are alone, and add up to all tokens", async () => {
  const figure = await figureOf(verdictFigure, { states, dead: [3, 4], steps: [0, 10, 20] });
  const areas = marksOf(figure, "band").map(({ series, x, low, high, solid }) => ({ name: figure.series[series]?.name, x, low, high, solid }));
  const x = [0, 10, 20];
  expect(areas).toEqual([
    { name: "dead, together", x, low: [0, 0, 0], high: [2, 2, 0], solid: true },
    { name: "dead, parted", x, low: [2, 2, 0], high: [2, 2, 2], solid: true },
    { name: "live, in black holes", x, low: [2, 2, 2], high: [5, 4, 2], solid: true },
    { name: "live, alone", x, low: [5, 4, 2], high: [5, 5, 5], solid: true },
  ]);
});

test("its title is the finding, and the first and the last to leave are named on the edge of their area", async () => {
  const figure = await figureOf(verdictFigure, { states, dead: [3, 4] });
  expect(figure.title).toBe("The 2 dead tokens part at step 2 and have 2 rows at the end; live tokens leave between steps 1 and 2");
  expect(figure.caption).toContain("The first to leave, at step 1: “\\x00”. The last to leave, at step 2: “\\x01” and “\\x02”.");
  const [dots] = marksOf(figure, "dots");
  expect([dots?.x, dots?.y]).toEqual([
    [1, 2],
    [4, 2],
  ]);
  expect(dots?.labels).toEqual(["first: “\\x00”", "last: “\\x01” and “\\x02”"]);
});

test("an area without tokens is not drawn, and a run before its first step has no figure", async () => {
  const still = await figureOf(verdictFigure, { states: [rows(1, 2), rows(1, 2)] });
  expect(marksOf(still, "band").map(({ series }) => still.series[series]?.name)).toEqual(["live, alone"]);
  await expect(figureOf(verdictFigure, { states: [rows(1, 1)] })).rejects.toThrow("it has taken no step yet");
});
