import { isUtf8 } from "node:buffer";
import { expect, test } from "vitest";
import { Utf8State } from "../../../src/bridge/utf8-state.js";

function isTaken(bytes: Uint8Array): boolean {
  const state = new Utf8State();
  return bytes.every((byte) => state.take(byte)) && state.isWhole;
}

test("is UTF-8 what Node takes for UTF-8: every sequence of up to three bytes that begins beyond ASCII, and four with each of their borders", () => {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const high = all.slice(128);
  const borders = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0];
  const ends = [0x7f, 0x80, 0xbf, 0xc0];
  const sequences = [
    ...all.map((first) => [first]),
    ...high.flatMap((first) => all.map((second) => [first, second])),
    ...high.flatMap((first) => all.flatMap((second) => ends.map((third) => [first, second, third]))),
    ...high.flatMap((first) => borders.flatMap((second) => ends.flatMap((third) => ends.map((fourth) => [first, second, third, fourth])))),
  ].map((bytes) => Uint8Array.from(bytes));
  expect(sequences.filter((bytes) => isTaken(bytes) !== isUtf8(bytes))).toEqual([]);
});
