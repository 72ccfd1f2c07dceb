import { expect, test } from "vitest";
import { pointsOf, rounded } from "../../../../src/figures/runs/followed-points.js";
import { runOfStates } from "../run-of-states.js";

const pointsIn = async (...args: Parameters<typeof runOfStates>) => {
  using run = runOfStates(...args);
  return (await pointsOf(run, 0)).points;
};

test("each distinct row is a point with its tokens; one that is no number has no place", async () => {
  const points = await pointsIn({
    states: [
      [
        [1, 0],
        [2, 0],
        [1, 0],
        [Number.NaN, 0],
      ],
    ],
    tokens: [65, 66, 67, 68],
  });
  expect(points.map(({ population, names }) => [population, names])).toEqual([
    [2, ["A", "C"]],
    [1, ["B"]],
  ]);
});

test("a point is of the dead when all its tokens are", async () => {
  const points = await pointsIn({ states: [[[1], [1], [2], [2], [3]]], dead: [0, 2, 3] });
  expect(points.map(({ group }) => group)).toEqual([0, 1, 0]);
});

test("of more distinct rows than can be shown, some are left out, and no black hole", async () => {
  const distinct = Array.from({ length: 3200 }, (_, row) => [2 ** Math.floor(row / 128) * (1 + (row % 128) / 128)]);
  const rows = [...distinct, distinct[1] ?? [], distinct[3] ?? []];
  const points = await pointsIn({ states: [rows] });
  expect(points.length).toBeLessThanOrEqual(1502);
  expect(points.length).toBeGreaterThan(1000);
  expect(points.filter(({ population }) => population === 2)).toHaveLength(2);
});

test("places have six digits", () => expect([rounded(1 / 3), rounded(123_456_789), rounded(0)]).toEqual([0.333333, 123_457_000, 0]));
