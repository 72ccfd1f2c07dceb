import { expect, test } from "vitest";
import { census, rowClasses, selectRows } from "../../../../src/analysis/census/census.js";
import { censusOfRows } from "../../../../src/analysis/census/census-of-rows.js";
import { timeline } from "../../../../src/analysis/timeline/timeline.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { memoryHistory, memorySource } from "../memory-source.js";

test("without a choice every row is taken", () => {
  expect([...selectRows(3)]).toEqual([0, 1, 2]);
});

test("chosen rows are taken once, in ascending order", () => {
  expect([...selectRows(10, [9, 0, 9, 2])]).toEqual([0, 2, 9]);
  expect([...selectRows(10, [])]).toEqual([]);
});

test.each([-1, 3, 1.5, Number.NaN])("row %d is not in a matrix of 3 rows", (row) => {
  expect(() => selectRows(3, [row])).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("rows from 0 to 2") }));
});

const mask = (1n << 64n) - 1n;

/** The kernels' random keys, a signed 16-bit one for each half-word of a row: xorshift64* (Vigna 2016), made odd. */
function kernelKeys(count: number): number[] {
  let state = 0x2545f4914f6cdd1dn;
  const keys: number[] = [];
  while (keys.length < count) {
    state ^= state >> 12n;
    state = (state ^ (state << 25n)) & mask;
    state ^= state >> 27n;
    const word = ((state * 0x2545f4914f6cdd1dn) & mask) | 0x0001000100010001n;
    for (let shift = 0n; shift < 64n; shift += 16n) keys.push(Number(BigInt.asIntN(16, word >> shift)));
  }
  return keys;
}

/**
 * Two different rows of 16 int16 with the same kernel hash: its sums are Σ element · key over the elements 0, 1, 8 and 9,
 * so that adding one key to an element and taking the other's off leaves them as they were.
 */
function collidingRows(): { first: Int16Array; second: Int16Array } {
  const keys = kernelKeys(16);
  const first = new Int16Array(16);
  const second = new Int16Array(16);
  second[0] = keys[8] ?? 0;
  second[8] = -(keys[0] ?? 0);
  return { first, second };
}

test("rows whose hashes collide are told apart by comparing them", async () => {
  const { first, second } = collidingRows();
  const bytes = new Uint8Array(Int16Array.of(...first, ...second, ...first, ...second, ...first).buffer);
  const expected = [
    [0, 2, 4],
    [1, 3],
  ];
  const { members } = await censusOfRows(memorySource(new Matrix("I16", [5, 16], bytes)), undefined, { kernels: "wasm" });
  expect(members).toEqual(expected);
  expect(await timeline(memoryHistory("I16", [1, 5, 16], bytes), { kernels: "wasm" })).toMatchObject({ unique: [2], C: [2], P: [5], largest: [3] });
});

test("a hash that is the same for all rows changes no class", () => {
  const rows = [3, 1, 3, 2, 1, 3];
  const values = { hash: () => 7, equal: (a: number, b: number) => rows[a] === rows[b] };
  expect([...rowClasses(values, [0, 1, 2, 3, 4, 5])]).toEqual([0, 1, 0, 3, 1, 0]);
});

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
  expect(() => census(floats([[1], [2], [1], [2], [1]]), [row])).toThrow(`row ${row} is not in a matrix of 5 rows. Use rows from 0 to 4`);
});

test("rows at an odd address in their file are compared all the same", () => {
  const bytes = new Uint8Array(1 + 8);
  bytes.set(new Uint8Array(Float32Array.of(3, 3).buffer), 1);
  expect(census(new Matrix("F32", [2, 1], bytes.subarray(1))).P).toBe(2);
});
