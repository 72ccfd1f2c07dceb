import { expect, test } from "vitest";
import { meanLogits } from "../../../../src/figures/runs/mean-logits.js";
import { runOfStates } from "../run-of-states.js";

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
