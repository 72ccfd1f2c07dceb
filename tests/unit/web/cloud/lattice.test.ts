import { expect, test } from "vitest";
import { topology } from "../../../../src/analysis/topology/topology.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { markHoles } from "../../../../web/replay/holes.js";
import { surroundingsOf } from "../../../../web/src/cloud/lattice.js";
import { stateOf, writtenRows } from "../../serve/written-run.js";

function around(words: Uint16Array | Uint32Array, row: number, dims: number, dtype: "BF16" | "F32" = "BF16", most?: number) {
  const tokens = words.length / dims;
  return surroundingsOf(words, row, markHoles(words, tokens, dims, dtype), { tokens, dims, dtype }, most);
}

test("a hole is opened with the rows that differ by one cell, the dimensions of each, and the edges between them", () => {
  const words = Uint16Array.of(
    ...[0x3f80, 0x0000], // 0 and 3: the hole
    ...[0x3f81, 0x8000], // one cell up in dimension 0; −0 is 0
    ...[0x3f82, 0x0000], // two cells up: a neighbour of the second row only
    ...[0x3f80, 0x0000],
    ...[0x3f7f, 0x8001], // one cell down in both
    ...[0x4000, 0x0000], // far
  );
  const found = around(words, 3, 2);
  expect(found?.neighbours).toBe(2);
  expect(found?.tiles.map(({ rows }) => rows)).toEqual([[0, 3], [1], [4], [2]]);
  expect(found?.tiles.map(({ cells }) => cells)).toEqual([0, 1, 1, 2]);
  expect(found?.edges).toEqual([
    { from: 0, to: 1, differences: [{ dim: 0, cells: 1 }] },
    {
      from: 0,
      to: 2,
      differences: [
        { dim: 0, cells: -1 },
        { dim: 1, cells: -1 },
      ],
    },
    { from: 1, to: 3, differences: [{ dim: 0, cells: 1 }] },
  ]);
});

test("cells are counted across 0: the smallest numbers of both signs are two apart", () => {
  expect(around(Uint16Array.of(0x0001, 0x8001), 0, 1)?.tiles[1]?.differences).toEqual([{ dim: 0, cells: -2 }]);
  expect(around(Uint32Array.of(0x00000001, 0x80000001), 0, 1, "F32")?.tiles[1]?.differences).toEqual([{ dim: 0, cells: -2 }]);
});

test("a row with NaN has no position and is nobody's neighbour", () => {
  const words = Uint16Array.of(0x7fc0, 0x7f80, 0x7f7f);
  expect(around(words, 0, 1)).toBeUndefined();
  expect(around(words, 1, 1)?.tiles.map(({ rows }) => rows)).toEqual([[1], [2]]);
});

test.each([0, 31, 60])("every row of state %i has as many neighbours as the analysis counts", async (state) => {
  const bytes = stateOf(state, 60, 8);
  const words = new Uint16Array(bytes.buffer);
  const { degrees, firstTokens } = await topology(new Matrix("BF16", [writtenRows, 8], bytes));
  const holes = markHoles(words, writtenRows, 8, "BF16");
  const counted = firstTokens.map((row) => surroundingsOf(words, row, holes, { tokens: writtenRows, dims: 8, dtype: "BF16" })?.neighbours);
  expect(counted).toEqual(degrees);
});
