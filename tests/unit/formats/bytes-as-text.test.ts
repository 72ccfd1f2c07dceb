import { expect, test } from "vitest";
import { bytesAsText } from "../../../src/formats/tokenizer-text.js";

test.each([
  ["plain text", [0x61, 0x0a], "a\n"],
  ["whole characters of two, three and four bytes", [...Buffer.from("é€𝄞")], "é€𝄞"],
  ["a lone byte", [0xe2], "<0xE2>"],
  ["a byte that is missing its character's beginning", [0x80, 0x41], "<0x80>A"],
  ["a character that is cut off, byte by byte", [0xe2, 0x82, 0x41], "<0xE2><0x82>A"],
  ["a mark of byte order, which is a character", [0xef, 0xbb, 0xbf], "\ufeff"],
  ["nothing", [], ""],
])("%s", (_, bytes, text) => {
  expect(bytesAsText(Uint8Array.from(bytes))).toBe(text);
});
