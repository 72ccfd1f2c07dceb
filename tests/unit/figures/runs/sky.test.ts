import { expect, test } from "vitest";
import { sky } from "../../../../src/figures/runs/sky.js";
import { figureOf, marksOf, type StateRows } from "../run-of-states.js";

/** Points on three axes of different lengths, around the origin. */
const cross: StateRows = [
  [8, 0, 0],
  [-8, 0, 0],
  [0, 4, 0],
  [0, -4, 0],
  [0, 0, 2],
  [0, 0, -2],
];

test("the widest directions lie on the equator, the third is the poles, and points across from one another are 180° apart", async () => {
  const [dots] = marksOf(await figureOf(sky, { states: [cross, cross] }), "dots");
  const longitudes = dots?.x.map((x) => Math.abs(x)) ?? [];
  const latitudes = dots?.y ?? [];
  expect(Math.abs((longitudes[0] ?? 0) - (longitudes[1] ?? 0))).toBeCloseTo(180, 3);
  for (const point of [2, 3]) expect(longitudes[point]).toBeCloseTo(90, 3);
  for (const point of [0, 1, 2, 3]) expect(latitudes[point]).toBeCloseTo(0, 3);
  expect([latitudes[4], latitudes[5]].map((latitude) => Math.abs(latitude ?? 0))).toEqual([90, 90]);
  expect((latitudes[4] ?? 0) + (latitudes[5] ?? 0)).toBe(0);
});

test("directions are those from the centroid of all tokens, and a row that lies in it has none", async () => {
  const shifted = [...cross, [0, 0, 0]].map((row) => row.map((value) => value + 16));
  const [dots] = marksOf(await figureOf(sky, { states: [cross.concat([[1, 1, 1]]), shifted] }), "dots");
  expect(dots?.x).toHaveLength(6);
});

test("the largest black hole is in the middle of the map, wherever it lies", async () => {
  for (const hole of cross.slice(0, 4)) {
    const [pie] = marksOf(await figureOf(sky, { states: [cross, [...cross.slice(0, -1), hole]] }), "pies");
    expect(pie?.x).toEqual([0]);
  }
});

test("rows that have all fallen into one black hole lie in no direction", async () => {
  const fallen = cross.map(() => [1.015625, -3.03125, 0.7109375]);
  expect(marksOf(await figureOf(sky, { states: [cross, fallen] }), "dots")).toEqual([]);
});

test("rows that never differ in three directions have no sky", async () => {
  const rows: StateRows = [
    [1, 2],
    [3, 1],
    [0, 5],
  ];
  await expect(figureOf(sky, { states: [rows, rows] })).rejects.toThrow("three directions");
});
