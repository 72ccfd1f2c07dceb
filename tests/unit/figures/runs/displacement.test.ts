import { expect, test } from "vitest";
import { displacement } from "../../../../src/figures/runs/motion.js";
import { figureOf, linesOf, marksOf, type StateRows } from "../run-of-states.js";

/** Centroids (1, 2), (4, 6) and (1, 2). */
const states: StateRows[] = [
  [
    [0, 2],
    [2, 2],
  ],
  [
    [3, 6],
    [5, 6],
  ],
  [
    [0, 2],
    [2, 2],
  ],
];

test("displacement is the distance of the centroid from where it began, and motion that of the rows in a step", async () => {
  const figure = await figureOf(displacement, { states });
  const [way, weights] = figure.panels;
  expect(way?.marks.map((mark) => mark.mark === "line" && [mark.x, mark.y])).toEqual([
    [
      [0, 1, 2],
      [0, 5, 0],
    ],
  ]);
  expect(weights?.marks.flatMap((mark) => (mark.mark === "line" ? [[mark.x, mark.y]] : []))).toEqual([
    [
      [1, 2],
      [5, 5],
    ],
    [
      [1, 2],
      [5, 5],
    ],
  ]); // median and largest
});

test("moves over cells are those over the unit in the last place of where a weight was", async () => {
  // From 1 to 2 a bfloat16 is 1/128 wide: one row moves by 3 cells, the other by none.
  const states = [
    [[1], [1.5]],
    [[1 + 3 / 128], [1.5]],
  ];
  const figure = await figureOf(displacement, { states });
  const lines = linesOf(figure);
  expect(lines["median and range of the tokens"]).toEqual([[1], [1.5]]);
  expect(lines["largest of a token"]).toEqual([[1], [3]]);
  const band = marksOf(figure, "band").at(-1); // by linear interpolation, as numpy's default: 0.1 × 3 and 0.9 × 3
  expect([band?.low[0], band?.high[0]].map((value) => value?.toFixed(12))).toEqual(["0.300000000000", "2.700000000000"]);
});

test("float32 weights have no motion in cells", async () => {
  expect((await figureOf(displacement, { states, dtype: "F32" })).panels.map(({ title }) => title)).toEqual(["Displacement", "ΔW of a step"]);
});

test("from the state on in which a weight is no number, the way is a gap", async () => {
  const broken = [
    [Number.NaN, 2],
    [2, 2],
  ];
  const [way] = marksOf(await figureOf(displacement, { states: [...states, broken] }), "line");
  expect(way?.y).toEqual([0, 5, 0, null]);
});
