import { expect, test } from "vitest";
import { shares } from "../../../../src/figures/runs/shares.js";
import { figureOf, linesOf } from "../run-of-states.js";

test("tokens are still in a step, frozen when they move no more, and thermal when they move within a cell", async () => {
  const cell = 1 / 128; // from 1 to 2
  const states = [
    [[1], [1], [1], [1]], // then: one moves by a cell in each step, one pauses, one stops, one never moves
    [[1 + cell], [1.5], [1.5], [1]],
    [[1], [1.5], [1.5], [1]],
    [[1 + cell], [1], [1.5], [1]],
  ];
  const lines = linesOf(await figureOf(shares, { states }));
  expect(lines["still in this step"]).toEqual([
    [1, 2, 3],
    [0.25, 0.75, 0.5],
  ]);
  expect(lines["frozen from here on"]).toEqual([
    [1, 2, 3],
    [0.25, 0.5, 0.5],
  ]);
  expect(lines["thermal"]).toEqual([
    [1, 2, 3],
    [0.25, 0.25, 0.25],
  ]);
});

test("without a lattice nothing is thermal or not", async () => {
  expect(
    Object.keys(
      linesOf(
        await figureOf(shares, {
          states: [
            [[1], [2]],
            [[1], [3]],
          ],
          dtype: "F32",
        }),
      ),
    ),
  ).toEqual(["still in this step", "frozen from here on"]);
});
