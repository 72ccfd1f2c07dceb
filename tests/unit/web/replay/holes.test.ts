import { expect, test } from "vitest";
import { census } from "../../../../src/analysis/census/census.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { markHoles } from "../../../../web/replay/holes.js";
import { stateOf, writtenRows } from "../../serve/written-run.js";

function holesOf(words: Uint16Array | Uint32Array, dims: number, dtype: string) {
  const { hole, populations } = markHoles(words, words.length / dims, dims, dtype);
  return { hole: [...hole], populations: [...populations] };
}

test("equal rows share a hole, the most populous first; a row that is alone has none", () => {
  expect(holesOf(Uint16Array.of(1, 2, 3, 4, 1, 2, 5, 6, 3, 4, 3, 4), 2, "BF16")).toEqual({ hole: [2, 1, 2, 0, 1, 1], populations: [3, 2] });
});

test.each([
  ["BF16", 0x8000, 0x7fc0, 0x7f80],
  ["F16", 0x8000, 0x7e00, 0x7c00],
  ["F32", 0x80000000, 0x7fc00000, 0x7f800000],
])("in %s −0 equals 0, infinity equals itself, and NaN equals nothing", (dtype, negativeZero, nan, infinity) => {
  const words = dtype === "F32" ? Uint32Array : Uint16Array;
  expect(holesOf(words.of(0, negativeZero, nan, nan, infinity, infinity), 1, dtype).hole).toEqual([1, 1, 0, 0, 2, 2]);
});

test.each([0, 30, 31, 60])("of state %i it finds what the census finds", (state) => {
  const bytes = stateOf(state, 60, 8);
  const { hole, populations } = markHoles(new Uint16Array(bytes.buffer), writtenRows, 8, "BF16");
  const expected = census(new Matrix("BF16", [writtenRows, 8], bytes));
  expect(populations).toEqual(expected.populations);
  expect(expected.members.map((tokens) => tokens.map((token) => hole[token]))).toEqual(expected.members.map((tokens, index) => tokens.map(() => index + 1)));
});
