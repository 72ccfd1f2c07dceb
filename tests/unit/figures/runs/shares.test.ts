import { expect, test } from "vitest";
import { shares } from "../../../../src/figures/runs/lifecycle.js";
import { figureOf, linesOf, marksOf } from "../run-of-states.js";

test("tokens are still in a step, frozen when they move no more, and thermal when they move within a cell", async () => {
  const cell = 1 / 128; // from 1 to 2
  const states = [
    [[1], [1], [1], [1]], // then: one moves by a cell in each step, one pauses, one stops, one never moves
    [[1 + cell], [1.5], [1.5], [1]],
    [[1], [1.5], [1.5], [1]],
    [[1 + cell], [1], [1.5], [1]],
  ];
  const figure = await figureOf(shares, { states });
  expect(linesOf(figure)["still in this step"]).toEqual([
    [1, 2, 3],
    [0.25, 0.75, 0.5],
  ]);
  // By hand: in one dimension, more than one cell is early. The token that pauses is early until the end.
  expect(marksOf(figure, "band").map(({ series, low, high }) => [figure.series[series]?.name.split(/[ :]/)[0], low, high])).toEqual([
    ["frozen", [0, 0, 0], [0.25, 0.5, 0.5]],
    ["thermal", [0.25, 0.5, 0.5], [0.5, 0.75, 0.75]],
    ["midlife", [0.5, 0.75, 0.75], [0.5, 0.75, 0.75]],
    ["early", [0.5, 0.75, 0.75], [1, 1, 1]],
  ]);
});

test("without a lattice tokens are frozen or not", async () => {
  const states = [
    [[1], [2]],
    [[1], [3]],
  ];
  const figure = await figureOf(shares, { states, dtype: "F32" });
  expect(marksOf(figure, "band").map(({ series, high }) => [figure.series[series]?.name, high])).toEqual([
    ["frozen: does not move again", [0.5]],
    ["moves again", [1]],
  ]);
});
