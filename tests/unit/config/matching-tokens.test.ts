import { expect, test } from "vitest";
import { byteText, matchingTokens } from "../../../src/config/matching-tokens.js";

test("a pattern means the tokens whose characters it matches", () => {
  expect(matchingTokens("/[A-C]/", 128)).toEqual([65, 66, 67]);
  expect(matchingTokens("/[a-c]/i", 128)).toEqual([65, 66, 67, 97, 98, 99]);
  expect(matchingTokens("/\\//", 128)).toEqual([47]);
  expect(matchingTokens("/z/", 64)).toEqual([]);
  expect(() => matchingTokens("/[/", 128)).toThrow(SyntaxError);
});

test("with a tokenizer a pattern is matched with the text of its tokens", () => {
  const texts = ["the", " the", "then", null, "<0xE2>"];
  expect(matchingTokens("/^ ?the$/", 5, (token) => texts[token] ?? null)).toEqual([0, 1]);
  expect(matchingTokens("/./", 9, (token) => texts[token] ?? null)).toEqual([0, 1, 2, 4]);
});

test("bytes beyond ASCII are written as numbers, and match no pattern", () => {
  expect([byteText(65), byteText(127), byteText(128), byteText(0xe2)]).toEqual(["A", "\u007f", "<0x80>", "<0xE2>"]);
  expect(matchingTokens("/./", 256).includes(200)).toBe(false);
  expect(matchingTokens("/E/", 256)).toEqual([69]);
});
