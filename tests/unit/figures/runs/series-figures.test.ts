import { expect, test } from "vitest";
import { seriesFigures } from "../../../../src/figures/runs/series-figures.js";
import { figureOf, linesOf } from "../run-of-states.js";

test("radii are distances from the centroid, and that has its own from the origin", async () => {
  // Centroids (3, 4) and (0, 0); distances 5, 5, 0 and 1, 2, 1.
  const states = [
    [
      [8, 4],
      [-2, 4],
      [3, 4],
    ],
    [
      [1, 0],
      [-2, 0],
      [1, 0],
    ],
  ];
  expect(linesOf(await figureOf(seriesFigures.radius, { states }))).toEqual({
    "largest radius": [
      [0, 1],
      [5, 2],
    ],
    "mean radius": [
      [0, 1],
      [expect.closeTo(10 / 3, 6), expect.closeTo(4 / 3, 6)],
    ],
    "centroid's distance": [
      [0, 1],
      [5, 0],
    ],
  });
});

test("a state with a weight that is no number is a gap", async () => {
  const lines = linesOf(
    await figureOf(seriesFigures.radius, {
      states: [
        [[1], [3]],
        [[Number.NaN], [3]],
      ],
    }),
  );
  expect(Object.values(lines).map(([, y]) => y)).toEqual([
    [1, null],
    [1, null],
    [2, null],
  ]);
});
