import { isUtf8 } from "node:buffer";
import { expect, test } from "vitest";
import { TextCounts, Utf8State } from "../../../src/bridge/text-counts.js";

/** Numbers that look random and are the same every time. */
function* draws(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

const pieces = ["a", "b", "\n", "\r", "\r\n", "ß", "€", "𝄞"].map((piece) => new TextEncoder().encode(piece));
const broken = [Uint8Array.of(0xff), Uint8Array.of(0xe2, 0x82), Uint8Array.of(0x80), Uint8Array.of(0xed, 0xa0, 0x80)];

function text(seed: number, isBroken: boolean): Uint8Array {
  const draw = draws(seed);
  const choose = (from: readonly Uint8Array[]) => [...(from[Math.floor(draw.next().value * from.length)] ?? [])];
  const chosen = Array.from({ length: 40 }, () => choose(pieces));
  if (isBroken) chosen.splice(20, 0, choose(broken));
  return Uint8Array.from(chosen.flat());
}

function counted(bytes: Uint8Array, chunkBytes: number): TextCounts {
  const counts = new TextCounts();
  for (let start = 0; start < bytes.length; start += chunkBytes) counts.add(bytes.subarray(start, start + chunkBytes));
  return counts;
}

test.each([1, 2, 3, 5, 1000])("a text in chunks of %d bytes has the counts of the decoded text", (chunkBytes) => {
  for (let seed = 0; seed < 50; seed++) {
    const bytes = text(seed, false);
    const plain = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replace(/\r\n?/g, "\n");
    const expected = new Array<number>(256).fill(0);
    for (const byte of new TextEncoder().encode(plain)) expected[byte] = (expected[byte] ?? 0) + 1;
    const counts = counted(bytes, chunkBytes);
    expect(counts.counts).toEqual(expected);
    expect(counts).toMatchObject({ bytes: bytes.length, characters: [...plain].length, isWhole: true, firstNotUtf8: undefined });
    expect(counts.notAscii).toBe(bytes.filter((byte) => byte >= 128).length);
    const offset = bytes.findIndex((byte) => byte >= 128);
    const lines = new TextDecoder().decode(bytes.subarray(0, offset)).split(/\r\n?|\n/);
    expect(counts.firstNotAscii).toEqual(offset === -1 ? undefined : { byte: bytes[offset], offset, line: lines.length });
  }
});

test.each([1, 2, 3, 5, 1000])("the first byte that is not UTF-8 is found in chunks of %d bytes", (chunkBytes) => {
  for (let seed = 0; seed < 50; seed++) {
    const bytes = text(seed, true);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    // A prefix is UTF-8, or can still become it, until the byte that the decoder refuses.
    const offset = bytes.findIndex((_, index) => {
      try {
        decoder.decode(bytes.subarray(index, index + 1), { stream: true });
        return false;
      } catch {
        return true;
      }
    });
    const { firstNotUtf8, isWhole } = counted(bytes, chunkBytes);
    expect(firstNotUtf8?.offset ?? -1).toBe(offset);
    if (offset === -1) expect(isWhole).toBe(true);
    else expect(firstNotUtf8?.byte).toBe(bytes[offset]);
  }
});

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
