import { expect, test } from "vitest";
import { decodeElements } from "../../../../src/analysis/elements.js";
import { placeOfRow } from "../../../../web/replay/row-place.js";

const along = Float32Array.of(1, 0, 0, 0);

test.each([
  ["BF16", [0x3f80, 0xbf00, 0x0000, 0x4049]],
  ["F16", [0x3c00, 0xb800, 0x0001, 0x4248]],
] as const)("a word of %s is the number that the analysis reads", (dtype, words) => {
  const bits = Uint16Array.from(words);
  const expected = new Float64Array(words.length);
  decodeElements(dtype, new Uint8Array(bits.buffer), expected);
  for (const row of words.keys()) expect(placeOfRow(bits, row, 1, dtype, along, [0, 0, 0])[0]).toBe(expected[row]);
});

test("a place is the row times the map, less what the map makes of the mean", () => {
  const bits = new Uint32Array(Float32Array.of(1, 2).buffer);
  const matrix = Float32Array.of(1, 0, 2, 0, 10, 1, 0, 0);
  expect(placeOfRow(bits, 0, 2, "F32", matrix, [1, 1, 1])).toEqual([20, 1, 1]);
});
