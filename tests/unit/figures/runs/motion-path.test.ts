import { expect, test } from "vitest";
import { followedRows, observation } from "../../../../src/figures/runs/motion-path.js";
import type { History } from "../../../../src/formats/history.js";
import { memoryHistory } from "../../analysis/memory-source.js";
import { observed } from "../../analysis/scan/observed.js";

const one = 0x3f80; // and one more is the next bfloat16, a cell further
/** Four tokens of five dims: they stand still, move within a cell, by two cells in one weight, and by two in two of them. √5 is 2.24, and √8 2.83. */
const start = Array.from({ length: 20 }, () => one);
const moved = [
  [0, 0, 0, 0, 0],
  [1, 1, 0, 0, 0],
  [2, 0, 0, 0, 0],
  [2, 2, 0, 0, 0],
]
  .flat()
  .map((cells) => one + cells);
const history = memoryHistory("BF16", [3, 4, 5], new Uint8Array(Uint16Array.from([start, moved, moved].flat()).buffer));
const levelsOf = (of: History, states: number) => observed(observation, of, 0, states).levels;

test("the centroid of each state is the mean of its rows", () => {
  const rows = memoryHistory("F32", [3, 2, 2], new Uint8Array(Float32Array.of(1, 2, 3, 4, 0, 0, 8, 16, -1, 0.5, 1, 0.5).buffer));
  expect(observed(observation, rows, 0, 3).centroids).toEqual(Float64Array.of(2, 3, 4, 8, 0, 0.5));
});

test("a row stands still, moves within a cell, beyond one, or by more than √dims cells", () => {
  expect(levelsOf(history, 3)).toEqual(Uint8Array.of(0, 1, 2, 3, 0, 0, 0, 0));
});

test("without a lattice it stands still or moves", () => {
  const values = Float32Array.of(1, 1, 1, 1 + 2 ** -20);
  expect(levelsOf(memoryHistory("F32", [2, 2, 1], new Uint8Array(values.buffer)), 2)).toEqual(Uint8Array.of(0, 3));
});

test("consecutive ranges report what one range does, wherever the cut is", () => {
  for (const cut of [1, 2]) {
    expect(observation.merge(observed(observation, history, 0, cut), observed(observation, history, cut, 3))).toEqual(observed(observation, history, 0, 3));
  }
});

test("of a large vocabulary at most 512 rows are followed, at equal distances from the first on", () => {
  expect(followedRows(512)).toEqual(Array.from({ length: 512 }, (_, row) => row));
  const rows = followedRows(50_257);
  expect(rows.length).toBeLessThanOrEqual(512);
  expect(rows).toEqual(rows.map((_, index) => 99 * index)); // 50,257 / 512 is 98.2
  expect(rows.at(-1)).toBeLessThan(50_257);
});
