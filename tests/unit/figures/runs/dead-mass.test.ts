import { expect, test } from "vitest";
import { deadMass } from "../../../../src/figures/runs/dead-tokens.js";
import { figureOf, marksOf } from "../run-of-states.js";

const state = [[1], [2], [3]];
const states = [state, state, state];

test("the probability of dead tokens over the steps, beside what it is where all are alike", async () => {
  const logits = [
    [[0], [0], [0]],
    [[0], [0], [0]],
    [[0], [-2], [-2]],
  ];
  const figure = await figureOf(deadMass, { states, dead: [1, 2], tensors: { "logits.mean": logits } });
  const [line] = marksOf(figure, "line");
  expect(line?.x).toEqual([1, 2]);
  expect(line?.y[0]).toBeCloseTo(2 / 3, 12);
  expect(line?.y[1]).toBeCloseTo((2 * Math.exp(-2)) / (1 + 2 * Math.exp(-2)), 12);
  expect(marksOf(figure, "rule")).toEqual([{ mark: "rule", axis: "y", at: 2 / 3, text: "if all tokens were equally likely" }]);
  expect(figure.caption).toContain("a step's mean logits");
});

test("a run that recorded neither logits nor hidden states is told what would give it", async () => {
  await expect(figureOf(deadMass, { states, dead: [1] })).rejects.toThrow("rerecord");
});
