import { expect, test } from "vitest";
import { phaseDurations } from "../../../../src/figures/runs/lifecycle.js";
import { figureOf, marksOf } from "../run-of-states.js";

/** Between 64 and 128 a lattice cell is 0.5 wide. With four dimensions, a move of 4 cells is early, one of 2 in midlife, one of 1 late. */
const first = [64, 66, 67, 67.5, 67.5];
const second = [64, 64, 66, 66, 66];
const still = [64, 64, 64, 64, 64];
const states = first.map((_, state) => [first, still, second].map((row) => [row[state] ?? 0, 64, 64, 64]));

test("live and dead tokens have a bar each, stacked of the mean shares of the training in each phase", async () => {
  const figure = await figureOf(phaseDurations, { states, dead: [1] });
  // By hand: the first token spends 1, 1, 1, 1 of 4 steps in the phases, the second 2, 0, 0, 2, the dead one 0, 0, 0, 4.
  expect(marksOf(figure, "bars").map(({ series, names, from, values }) => [figure.series[series]?.name.split(/[ :]/)[0], names, from, values])).toEqual([
    ["early", ["2 live tokens", "1 dead token"], [0, 0], [0.375, 0]],
    ["midlife", ["2 live tokens", "1 dead token"], [0.375, 0], [0.5, 0]],
    ["thermal", ["2 live tokens", "1 dead token"], [0.5, 0], [0.625, 0]],
    ["frozen", ["2 live tokens", "1 dead token"], [0.625, 0], [1, 1]],
  ]);
});

test("without a lattice there are no phases, and the reason is told", async () => {
  await expect(figureOf(phaseDurations, { states, dtype: "F32" })).rejects.toThrow("only bfloat16 has a lattice");
});
