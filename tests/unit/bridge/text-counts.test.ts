import { expect, test } from "vitest";
import { TextCounts } from "../../../src/bridge/text-counts.js";

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
