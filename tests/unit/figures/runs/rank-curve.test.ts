import { expect, test } from "vitest";
import { rankCurve } from "../../../../src/figures/runs/rank-curve.js";
import { figureOf, linesOf } from "../run-of-states.js";

const apart = [[1], [2], [3], [4], [5], [6]];
const many = [[1], [1], [3], [3], [3], [6]];
const one = [[1], [1], [1], [1], [1], [6]];

test("populations are ranked in the first state, in the one with the most black holes, and in the last", async () => {
  const figure = await figureOf(rankCurve, { states: [one, many, apart, one], steps: [0, 500, 1000, 1500] });
  expect(linesOf(figure)).toEqual({
    "step 0": [[1], [5]],
    "step 500": [
      [1, 2],
      [3, 2],
    ],
    "step 1,500": [[1], [5]],
  });
});

test("states without a black hole have no line, and a run without one says so", async () => {
  expect(Object.keys(linesOf(await figureOf(rankCurve, { states: [apart, many] })))).toEqual(["step 1"]);
  await expect(figureOf(rankCurve, { states: [apart, apart] })).rejects.toThrow("no state of it has a black hole");
});

test("few ranks have a tick each, and many lie on a logarithmic axis", async () => {
  const pairs = (count: number) => Array.from({ length: 2 * count }, (_, row) => [Math.floor(row / 2)]);
  const axisOf = async (count: number) => (await figureOf(rankCurve, { states: [pairs(count)] })).panels[0]?.x;
  expect((await axisOf(3))?.ticks?.map(({ text }) => text)).toEqual(["1", "2", "3"]);
  expect(await axisOf(11)).toMatchObject({ scale: "log", ticks: null });
});
