import { expect, test } from "vitest";
import { optimizer } from "../../../../src/figures/runs/training.js";
import { figureOf, linesOf } from "../run-of-states.js";

const weights = [
  [
    [1, 1],
    [2, 2],
    [3, 3],
  ],
];

test("lengths of gradients are means over the live tokens and over the dead ones; of a second moment its root is meant", async () => {
  const tensors = {
    "wte.grad": [
      [
        [3, 4],
        [0, 0],
        [6, 8],
      ],
      [
        [0, 2],
        [1, 0],
        [0, 0],
      ],
    ],
    "wte.exp_avg_sq": [
      [
        [9, 16],
        [1, 0],
        [0, 0],
      ],
      [
        [0, 4],
        [9, 16],
        [0, 4],
      ],
    ],
  };
  const figure = await figureOf(optimizer, { states: [...weights, ...weights], dead: [1], tensors });
  expect(figure.panels.map(({ title, marks }) => [title, marks.map((mark) => mark.mark === "line" && mark.y)])).toEqual([
    [
      "Gradient",
      [
        [7.5, 1],
        [0, 1],
      ],
    ],
    [
      "Root of the second Adam moment",
      [
        [2.5, 2],
        [1, 5],
      ],
    ],
  ]);
  expect(figure.series.map(({ name }) => name)).toEqual(["live tokens", "dead tokens"]);
});

test("a group without a token has no line, and a mean that is no number is a gap", async () => {
  const tensors = {
    "wte.grad": [
      [
        [3, 4],
        [0, 0],
        [0, 0],
      ],
      [
        [Number.NaN, 2],
        [1, 0],
        [0, 0],
      ],
    ],
  };
  expect(linesOf(await figureOf(optimizer, { states: [...weights, ...weights], tensors }))).toEqual({
    "": [
      [0, 1],
      [expect.closeTo(5 / 3, 12), null],
    ],
  });
});

test("gradients that were recorded later are shown with their steps, and with a gap where there are none", async () => {
  const row = (length: number) => [
    [length, 0],
    [0, length],
    [0, 0],
  ];
  const states = Array.from({ length: 6 }, () => weights[0] ?? []);
  const tensors = { "wte.grad.0-1": [row(3), row(6)], "wte.grad.4-5": [row(9), row(12)] };
  const figure = await figureOf(optimizer, { states, tensors, tensorSteps: { "wte.grad.4-5": [4, 5] } });
  expect(linesOf(figure)).toEqual({
    "": [
      [0, 1, 2, 4, 5],
      [2, 4, null, 6, 8],
    ],
  });
  expect(figure.caption).toMatch(/Recorded later: gradient of the steps 0 to 1 and 4 to 5\.$/);
});

test("a run that recorded neither is told how to add them", async () => {
  await expect(figureOf(optimizer, { states: weights })).rejects.toThrow("bh-bridge rerecord");
});
