import { expect, test } from "vitest";
import { byteText, matchingTokens } from "../../../src/config/matching-tokens.js";

test("a pattern means the tokens whose characters it matches", () => {
  expect(matchingTokens("/[A-C]/", 128)).toEqual([65, 66, 67]);
  expect(matchingTokens("/[a-c]/i", 128)).toEqual([65, 66, 67, 97, 98, 99]);
  expect(matchingTokens("/\\//", 128)).toEqual([47]);
  expect(matchingTokens("/z/", 64)).toEqual([]);
  expect(() => matchingTokens("/[/", 128)).toThrow(SyntaxError);
});

test("bytes beyond ASCII have no text", () => {
  expect([byteText(65), byteText(127), byteText(128)]).toEqual(["A", "\u007f", null]);
  expect(matchingTokens("/./", 256).includes(200)).toBe(false);
});
