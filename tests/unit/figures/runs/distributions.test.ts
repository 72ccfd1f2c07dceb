import { expect, test } from "vitest";
import { distributions } from "../../../../src/figures/runs/distributions.js";
import { figureOf, marksOf } from "../run-of-states.js";

test("norms of the rows, distances from their centroid and moves in cells each have a cumulative share, in which a row that does not move counts from the start", async () => {
  const cell = 1 / 128; // from 1 to 2
  const states = [
    [
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ],
    [
      [1 + cell, 0],
      [1 + 2 * cell, 0],
      [1 + 4 * cell, 0],
      [1, 0],
    ],
  ];
  const figure = await figureOf(distributions, { states });
  expect(figure.panels.map(({ title }) => title)).toEqual(["Norms of the rows", "Distances from the centroid", "Moves in the step"]);
  const moved = marksOf(figure, "line").at(-1);
  expect([moved?.x, moved?.y]).toEqual([
    [1, 1, 2, 4, 4],
    [0.25, 0.5, 0.75, 1, 1],
  ]);
  expect(figure.series.map(({ name }) => name)).toEqual(["step 0", "step 1"]);
});

test("live and dead tokens have panels of their own on the same axis", async () => {
  const figure = await figureOf(distributions, { states: [[[3], [1], [2], [3]]], dead: [0, 3] });
  expect(figure.panels.map(({ title, x, marks: [mark] }) => [title, x.domain, mark?.mark === "line" && [mark.x, mark.y]])).toEqual([
    [
      "Norms of the rows, live tokens",
      [1, 3],
      [
        [1, 1, 2, 3],
        [0, 0.5, 1, 1],
      ],
    ],
    [
      "Norms of the rows, dead tokens",
      [1, 3],
      [
        [1, 3, 3],
        [0, 1, 1],
      ],
    ],
    [
      "Distances from the centroid, live tokens",
      [0.25, 1.25],
      [
        [0.25, 0.25, 1.25, 1.25],
        [0, 0.5, 1, 1],
      ],
    ],
    [
      "Distances from the centroid, dead tokens",
      [0.25, 1.25],
      [
        [0.25, 0.75, 1.25],
        [0, 1, 1],
      ],
    ],
  ]);
});

test("the moments are the first state, a hundredth, a tenth and the end", async () => {
  const states = Array.from({ length: 101 }, (_, state) => [[state], [state + 1]]);
  const steps = states.map((_, state) => 20 * state);
  expect((await figureOf(distributions, { states, steps })).series.map(({ name }) => name)).toEqual(["step 0", "step 20", "step 200", "step 2,000"]);
});

test("rows that are no numbers are left out, and a state that has no others has no line", async () => {
  const { NaN: no } = Number;
  const figure = await figureOf(distributions, {
    states: [
      [
        [3, 4],
        [no, 0],
      ],
      [
        [no, 0],
        [no, 0],
      ],
    ],
  });
  expect(marksOf(figure, "line").map(({ series, y }) => [series, y])).toEqual([[0, [0, 1, 1]]]);
});

test("a run in which nothing moves has no panels of moves, and one without a finite row says so", async () => {
  const rows = [
    [3, 4],
    [1, 2],
  ];
  expect((await figureOf(distributions, { states: [rows, rows] })).panels).toHaveLength(2);
  await expect(figureOf(distributions, { states: [[[Number.NaN]]] })).rejects.toThrow("none of its rows is finite");
});
