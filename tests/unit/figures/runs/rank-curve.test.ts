import { expect, test } from "vitest";
import { meanLogits, rankCurve } from "../../../../src/figures/runs/black-holes.js";
import { figureOf, linesOf, runOfStates } from "../run-of-states.js";

const state = [[1], [2], [3]];
const states = [state, state, state];

test("a state has the logits of the step that it leads to, the last one those of the last step, the largest first", async () => {
  const logits = [
    [[0], [0], [0]],
    [[1], [3], [2]],
    [[4], [Number.NaN], [5]],
  ];
  using run = runOfStates({ states, dead: [1], tokens: [65, 66, 67], tensors: { "logits.mean": logits } });
  const [first, last] = await meanLogits(run, [0, 2]);
  expect(first?.map(({ value, token }) => [value, token])).toEqual([
    [3, "B"],
    [2, "C"],
    [1, "A"],
  ]);
  expect(last?.map(({ value }) => value)).toEqual([5, 4]);
});

test("a run without them has none", async () => {
  using run = runOfStates({ states });
  expect(await meanLogits(run, [0, 2])).toEqual([[], []]);
});

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
  await expect(figureOf(rankCurve, { states: [apart, apart] })).rejects.toThrow("none of its snapshots has a black hole");
});

test("few ranks have a tick each, and many lie on a logarithmic axis", async () => {
  const pairs = (count: number) => Array.from({ length: 2 * count }, (_, row) => [Math.floor(row / 2)]);
  const axisOf = async (count: number) => (await figureOf(rankCurve, { states: [pairs(count)] })).panels[0]?.x;
  expect((await axisOf(3))?.ticks?.map(({ text }) => text)).toEqual(["1", "2", "3"]);
  expect(await axisOf(11)).toMatchObject({ scale: "log", ticks: null });
});
