import { expect, test } from "vitest";
import { scriptOf } from "../../../src/text/script-of.js";

test.each([
  [" the", "Latin"],
  ["naïve", "Latin"],
  ["мир", "Cyrillic"],
  ["λόγος", "Greek"],
  ["道", "Han"],
  ["ハイ", "Katakana"],
  ["ไทย", "Thai"],
  ["aя", "several"],
  ["ᏣᎳᎩ", "other"],
  [" 123, ", "no letters"],
  ["<0xE2><0x82>", "parts of characters"],
  ["<0xE2>x", "Latin"],
  ["", "no letters"],
  [null, "no text"],
])("%j is %s", (text, script) => {
  expect(scriptOf(text)).toBe(script);
});
