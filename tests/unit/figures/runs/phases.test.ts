import { expect, test } from "vitest";
import { phaseDurations } from "../../../../src/figures/runs/phases.js";
import { figureOf, marksOf } from "../run-of-states.js";

/** Between 64 and 128 a lattice cell is 0.5 wide. With four dimensions, a move of 4 cells is early, one of 2 in midlife, one of 1 late. */
const first = [64, 66, 67, 67.5, 67.5];
const second = [64, 64, 66, 66, 66];
const still = [64, 64, 64, 64, 64];
const states = first.map((_, state) => [first, still, second].map((row) => [row[state] ?? 0, 64, 64, 64]));

test("the share of live and of dead tokens that spend at most so many steps in a phase", async () => {
  const figure = await figureOf(phaseDurations, { states, dead: [1] });
  const lines = marksOf(figure, "line").map(({ series, x, y }) => [figure.series[series]?.name, x, y]);
  expect(figure.panels.map(({ title }) => title.split(":")[0])).toEqual(["Early", "Midlife", "Late", "Frozen"]);
  // By hand: the first token spends 1, 1, 1, 1 steps in the phases, the second 2, 0, 0, 2, the dead one 0, 0, 0, 4.
  expect(lines).toEqual([
    ["live tokens", [0, 1, 2, 4], [0, 0.5, 1, 1]],
    ["dead tokens", [0, 0, 4], [0, 1, 1]],
    ["live tokens", [0, 0, 1, 4], [0, 0.5, 1, 1]],
    ["dead tokens", [0, 0, 4], [0, 1, 1]],
    ["live tokens", [0, 0, 1, 4], [0, 0.5, 1, 1]],
    ["dead tokens", [0, 0, 4], [0, 1, 1]],
    ["live tokens", [0, 1, 2, 4], [0, 0.5, 1, 1]],
    ["dead tokens", [0, 4, 4], [0, 1, 1]],
  ]);
});

test("without a lattice there are no phases, and the reason is told", async () => {
  await expect(figureOf(phaseDurations, { states, dtype: "F32" })).rejects.toThrow("only bfloat16 has a lattice");
});
