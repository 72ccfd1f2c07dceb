import { expect, test } from "vitest";
import { freezing } from "../../../../src/figures/runs/freezing.js";
import { figureOf, marksOf } from "../run-of-states.js";

const cell = 1 / 128; // from 1 to 2

test("each token has a row of levels, those that stop first on top", async () => {
  const states = [
    [[1], [1], [1], [1]],
    [[1 + cell], [1], [1 + 3 * cell], [1 + cell]],
    [[1 + cell], [1], [1 + 3 * cell], [1]],
    [[1 + cell], [1], [1.5], [1]],
  ];
  const figure = await figureOf(freezing, { states, tokens: [65, 66, 67, 68] });
  // In one dimension, 1 cell is within, and more than 1 is more than √dims.
  expect(marksOf(figure, "cells")).toMatchObject([{ names: ["B", "A", "D", "C"], rows: ["000", "100", "110", "303"], edges: [0, 1, 2, 3] }]);
});

test("a move beyond a cell in one weight is not yet one of more than √dims cells", async () => {
  const from = [[1, 1, 1, 1, 1]];
  const states = [from, [[1 + 2 * cell, 1, 1, 1, 1]], from, [[1 + 3 * cell, 1, 1, 1, 1]]];
  expect(marksOf(await figureOf(freezing, { states }), "cells")[0]?.rows).toEqual(["223"]); // √5 = 2.24
});

test("without a lattice a token moves or stands still", async () => {
  const figure = await figureOf(freezing, {
    states: [
      [[1], [2]],
      [[1], [2.5]],
    ],
    dtype: "F32",
  });
  expect(marksOf(figure, "cells")[0]?.rows).toEqual(["0", "3"]);
  expect(figure.series.map(({ name }) => name).filter((name) => name !== "")).toEqual(["still", "moves"]);
});

test("in a long training a cell is a stretch of steps, and has the largest motion in it", async () => {
  const states = Array.from({ length: 721 }, (_, state) => [[state < 400 ? 1 : 1.5]]);
  const figure = await figureOf(freezing, { states });
  const [{ rows: [row = ""] = [], edges = [] } = {}] = marksOf(figure, "cells");
  expect([row.length, row.indexOf("3"), edges.at(-1)]).toEqual([360, 199, 720]); // the move from 399 to 400 is in the stretch from 398 on
  expect(row.replace("3", "0")).toBe("0".repeat(360));
  expect(figure.caption).toContain("A cell shows the largest motion in several steps");
});

test("the caption counts the tokens that have stopped", async () => {
  const captionOf = async (last: number[][]) => (await figureOf(freezing, { states: [[[1], [2], [3]], [[1.5], [2.5], [3.5]], last] })).caption;
  expect(await captionOf([[1], [2], [3]])).toContain("None has stopped: each of them moves in the last step.");
  expect(await captionOf([[1.5], [2.5], [3]])).toContain("2 of them have stopped before the last step.");
  expect(await captionOf([[1.5], [2.5], [3.5]])).toContain("All of them have stopped before the last step.");
});

test("a run that has taken no step says so", async () => {
  await expect(figureOf(freezing, { states: [[[1]]] })).rejects.toThrow("no step yet");
});
