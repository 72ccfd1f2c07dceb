import { expect, test } from "vitest";
import { deadHoles, hasParted } from "../../../src/analysis/dead-holes.js";
import { float64Matrix } from "./matrices.js";

const column = (...values: number[]) => float64Matrix(values.map((value) => [value]));

test("a hole that stays is one group; one that breaks is counted in its parts, and tokens that are alone", () => {
  const initial = column(1, 1, 1, 1, 1, 2);
  expect(deadHoles(initial, column(7, 7, 7, 7, 7, 2), [0, 1, 2, 3, 4])).toEqual([{ tokens: [0, 1, 2, 3, 4], together: [5], alone: 0 }]);
  const [parted] = deadHoles(initial, column(7, 7, 7, 8, 9, 2), [0, 1, 2, 3, 4]);
  expect(parted).toEqual({ tokens: [0, 1, 2, 3, 4], together: [3], alone: 2 });
});

test("live tokens in the same hole are not counted, at the start or at the end", () => {
  expect(deadHoles(column(1, 1, 1, 5), column(7, 7, 9, 7), [0, 1])).toEqual([{ tokens: [0, 1], together: [2], alone: 0 }]);
});

test("a hole with one dead token is none", () => {
  expect(deadHoles(column(1, 1, 2, 2), column(1, 1, 2, 2), [0, 2])).toEqual([]);
});

test("a dead token that shares its row with a live one alone is together with it, by itself", () => {
  expect(deadHoles(column(1, 1, 3), column(7, 3, 3), [0, 1])).toEqual([{ tokens: [0, 1], together: [1], alone: 1 }]);
});

test.each([
  [[3], 0, false],
  [[2, 1], 0, true],
  [[2], 1, true],
  [[], 2, true],
])("in groups of %j with %d alone it has parted: %s", (together, alone, parted) => {
  expect(hasParted({ tokens: [0, 1], together, alone })).toBe(parted);
});
