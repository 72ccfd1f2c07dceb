import { expect, test } from "vitest";
import { classCounts, classSizes } from "../../../src/analysis/class-counts.js";

test.each<[what: string, classes: number[], counts: object]>([
  ["no token", [], { unique: 0, C: 0, P: 0, largest: 0 }],
  ["all tokens apart", [0, 1, 2], { unique: 3, C: 0, P: 0, largest: 0 }],
  ["all tokens together", [0, 0, 0], { unique: 1, C: 1, P: 3, largest: 3 }],
  ["two holes and one alone", [0, 1, 0, 3, 1, 1], { unique: 3, C: 2, P: 5, largest: 3 }],
])("%s", (_, classes, counts) => {
  expect(classCounts(Int32Array.from(classes))).toEqual(counts);
});

test("the tokens of a class count at its first", () => {
  expect([...classSizes(Int32Array.from([0, 1, 0, 3, 1, 1]))]).toEqual([2, 3, 0, 1, 0, 0]);
});
