import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import { rowChunks } from "../../../src/formats/row-chunks.js";
import { memorySource } from "../analysis/memory-source.js";

test("all rows come once and in order, in pieces of a few megabytes", () => {
  const columns = 1_000_000; // 2 MB a row in float16: two fit a piece
  const bytes = Uint8Array.from({ length: 5 * columns * 2 }, (_, index) => Math.floor(index / (columns * 2)));
  const seen = [...rowChunks(memorySource(new Matrix("F16", [5, columns], bytes)))].map(({ first, count, bytes: piece }) => [
    first,
    count,
    piece[0],
    piece.length,
  ]);
  expect(seen.map(([first, count]) => [first, count])).toEqual([
    [0, 2],
    [2, 2],
    [4, 1],
  ]);
  expect(seen.map(([, count = 0, , length]) => length === count * columns * 2)).toEqual([true, true, true]);
});

test("a row that is larger than a piece is a piece", () => {
  const columns = 3 * 2 ** 20;
  const source = memorySource(new Matrix("F16", [2, columns], new Uint8Array(2 * columns * 2)));
  expect([...rowChunks(source)].map(({ first, count }) => [first, count])).toEqual([
    [0, 1],
    [1, 1],
  ]);
});

test("no rows, and rows without columns, are no trouble", () => {
  expect([...rowChunks(memorySource(new Matrix("F32", [0, 4], new Uint8Array())))]).toEqual([]);
  expect([...rowChunks(memorySource(new Matrix("F32", [4, 0], new Uint8Array())))]).toEqual([]);
});
