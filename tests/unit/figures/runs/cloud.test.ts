import { expect, test } from "vitest";
import { cloud, pointsOf, rounded } from "../../../../src/figures/runs/cloud.js";
import { figureOf, marksOf, runOfStates, type StateRows } from "../run-of-states.js";

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

test("a point counts its live and its dead tokens", async () => {
  const points = await pointsIn({ states: [[[1], [1], [2], [2], [3]]], dead: [0, 2, 3] });
  expect(points.map(({ population, live }) => [population, live])).toEqual([
    [2, 1],
    [2, 0],
    [1, 1],
  ]);
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

/** A triangle that grows: all of it lies in one plane of four dimensions. */
const states = [1, 2, 3].map((size) => [
  [0, 0, 0, 0],
  [3 * size, 0, 0, 0],
  [3 * size, 4 * size, 0, 0],
]);

test("rows of a plane are seen at their true distances, in the first state, after a tenth, and in the last", async () => {
  const figure = await figureOf(cloud, { states, steps: [0, 10, 2000] });
  expect(figure.panels.map(({ title }) => title)).toEqual(["Step 0", "Step 2,000", "Paths of tokens"]);
  const shares = [figure.panels[0]?.x, figure.panels[0]?.y].map((axis) => Number(/(\d+) %/.exec(axis?.label ?? "")?.[1]));
  expect((shares[0] ?? 0) + (shares[1] ?? 0)).toBe(100);
  const [, { x = [], y = [] } = {}] = marksOf(figure, "dots");
  const sides = [
    [0, 1],
    [1, 2],
    [2, 0],
  ].map(([a = 0, b = 0]) => Math.hypot((x[a] ?? 0) - (x[b] ?? 0), (y[a] ?? 0) - (y[b] ?? 0)));
  expect(sides.map((side) => side.toFixed(3)).sort()).toEqual(["12.000", "15.000", "9.000"]);
});

test("the ways of the tokens go through their places in all states, with a gap behind each, dead ones on their own", async () => {
  const figure = await figureOf(cloud, { states, dead: [2] });
  const [alive, dead] = marksOf(figure, "line");
  expect(alive?.y.map((value) => value === null)).toEqual([false, false, false, true, false, false, false, true]);
  expect(dead?.y).toHaveLength(4);
  const ends = marksOf(figure, "dots").at(-1); // the dead token in the last state
  expect([dead?.x[2], dead?.y[2]]).toEqual([ends?.x[0], ends?.y[0]]);
});

test("a black hole is a pie of its live and its dead tokens with its number, larger in area by its tokens", async () => {
  const shared = [
    ...states.slice(0, 2),
    [
      [0, 0, 0, 0],
      [9, 12, 0, 0],
      [9, 12, 0, 0],
      [9, 12, 0, 0],
    ].slice(0, 3),
  ];
  const figure = await figureOf(cloud, { states: shared, tokens: [65, 66, 67], dead: [66] });
  expect(marksOf(figure, "dots").at(-1)).toMatchObject({ series: 0, labels: ["A"], names: ["A"] });
  const [hole] = marksOf(figure, "pies");
  expect(hole).toMatchObject({ slices: [0, 1], values: [[1, 1]], labels: ["2"], names: ["B C"] });
  expect(hole?.radius[0]).toBeCloseTo(Math.SQRT2 * (marksOf(figure, "dots").at(-1)?.radius?.[0] ?? 0), 12);
});

/** A hole of three tokens, and twenty rows: twelve near it, eight far away. */
const crowd: StateRows = [
  ...[0, 0, 0].map(() => [64, 64]),
  ...Array.from({ length: 12 }, (_, row) => [64 + (row % 2 ? 1 : -1) * (1 + row / 12), 64 + (row % 3) - 1]),
  ...Array.from({ length: 8 }, (_, row) => [row < 4 ? 0 : 128, 32 * (row % 4)]),
];

test("the surroundings of the largest black hole are shown larger, with its nearest rows, and framed where they are", async () => {
  const figure = await figureOf(cloud, { states: [crowd, crowd] });
  expect(figure.panels.map(({ title }) => title)).toEqual(["Step 0", "Step 1", "The largest black hole, step 1", "Paths of tokens"]);
  const inset = figure.panels[2];
  const points = inset?.marks.flatMap((mark) => (mark.mark === "dots" || mark.mark === "pies" ? mark.x : []));
  expect(points).toHaveLength(13);
  const frame = figure.panels[1]?.marks.find((mark) => mark.mark === "line");
  const places = frame?.mark === "line" ? frame.x : [];
  expect([Math.min(...places), Math.max(...places)]).toEqual(inset?.x.domain?.map(rounded));
});

test("rows that differ in one direction alone have no cloud", async () => {
  await expect(
    figureOf(cloud, {
      states: [
        [[1], [2]],
        [[1], [3]],
      ],
    }),
  ).rejects.toThrow("two directions");
});
