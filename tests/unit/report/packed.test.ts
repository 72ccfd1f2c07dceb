import { expect, test } from "vitest";
import { packedFrames, packedText } from "../../../src/report/packed.js";
import { unpackedFrames, unpackedText } from "../../../web/report/unpacked.js";
import { expectedFrom } from "../formats/reference-python.js";

const inflated = "import base64, json, sys, zlib; print(json.dumps(list(zlib.decompress(base64.b64decode(sys.argv[1]), -15))))";

test("a text is raw DEFLATE in base64, which Python reads too, and has no character of markup", () => {
  const text = 'é</script><!-- "\u2028';
  const packed = packedText(text);
  expect(packed).toMatch(/^[A-Za-z0-9+/=]+$/);
  expect(Buffer.from(expectedFrom<number[]>(inflated, packed)).toString("utf8")).toBe(text);
});

test("frames are their folded differences, low bytes before high ones", () => {
  // Frames of two: 5, 65535; then 4, 0 (−1 and +1); then 304, 65535 (+300 and −1 again, over the end of 16 bits).
  const packed = packedFrames(Uint16Array.of(5, 65_535, 4, 0, 304, 65_535), 2);
  // Folded: +5 is 10, −1 is 1; −1 is 1, +1 is 2; +300 is 600 = 2 × 256 + 88, −1 is 1.
  expect(expectedFrom(inflated, packed)).toEqual([10, 1, 1, 2, 88, 1, 0, 0, 0, 0, 2, 0]);
});

test("a browser unpacks what was packed", async () => {
  expect(await unpackedText(packedText("ünïcode ⏎"))).toBe("ünïcode ⏎");
  const numbers = Uint16Array.from({ length: 3000 }, (_, index) => (index * index * 977) % 65_536);
  for (const width of [1, 7, 3000]) expect(await unpackedFrames(packedFrames(numbers, width), width)).toEqual(numbers);
});
