import { expect, test } from "vitest";
import { censusOfRows } from "../../../src/analysis/census-of-rows.js";
import { rowClasses } from "../../../src/analysis/row-classes.js";
import { timeline } from "../../../src/analysis/timeline.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { memoryHistory, memorySource } from "./memory-source.js";

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
