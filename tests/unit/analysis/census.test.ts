import { expect, test } from "vitest";
import { census } from "../../../src/analysis/census.js";
import { Matrix } from "../../../src/formats/matrix.js";

function floats(rows: number[][]): Matrix {
  return new Matrix("F32", [rows.length, rows[0]?.length ?? 0], new Uint8Array(Float32Array.from(rows.flat()).buffer));
}

test("black holes come in descending population, ties by first member, members ascending", () => {
  const matrix = floats([[5], [1], [2], [1], [2], [3], [9], [3], [3]]);
  expect(census(matrix)).toEqual({
    rows: 9,
    unique: 5,
    C: 3,
    P: 7,
    populations: [3, 2, 2],
    members: [
      [5, 7, 8],
      [1, 3],
      [2, 4],
    ],
  });
});

test("−0 equals 0, infinities equal themselves, and a NaN row equals nothing", () => {
  const matrix = floats([
    [0, 1],
    [-0, 1],
    [Number.NaN, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [Number.POSITIVE_INFINITY, 1],
    [Number.NEGATIVE_INFINITY, 1],
  ]);
  expect(census(matrix)).toMatchObject({
    unique: 5,
    members: [
      [0, 1],
      [4, 5],
    ],
  });
});

test("chosen rows keep their own indices, in any order, and count once", () => {
  const matrix = floats([[1], [2], [1], [2], [1]]);
  expect(census(matrix, [4, 1, 0, 4])).toEqual({ rows: 3, unique: 2, C: 1, P: 2, populations: [2], members: [[0, 4]] });
  expect(census(matrix, [])).toEqual({ rows: 0, unique: 0, C: 0, P: 0, populations: [], members: [] });
});

test.each([5, -1, 1.5])("row %d of a matrix of 5 rows is refused", (row) => {
  expect(() => census(floats([[1], [2], [1], [2], [1]]), [row])).toThrow(`row ${row} is not in a matrix of 5 rows; name rows from 0 to 4`);
});

test("rows at an odd address in their file are compared all the same", () => {
  const bytes = new Uint8Array(1 + 8);
  bytes.set(new Uint8Array(Float32Array.of(3, 3).buffer), 1);
  expect(census(new Matrix("F32", [2, 1], bytes.subarray(1))).P).toBe(2);
});
