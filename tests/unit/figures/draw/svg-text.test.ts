import { expect, test } from "vitest";
import { shortened, textLines, textWidth } from "../../../../src/figures/draw/svg.js";

test("lines hold all words and are no wider than they may be; a word that is wider is divided", () => {
  const text = `Probability of the tokens that never appear: ${"x".repeat(80)}`;
  for (const width of [60, 120, 374]) {
    const lines = textLines(text, width, 12);
    expect(Math.max(...lines.map((line) => textWidth(line, 12)))).toBeLessThanOrEqual(width);
    expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  }
  expect(textLines("", 100, 12)).toEqual([]);
});

test("a text without room is cut at a word, or in its only word", () => {
  expect(shortened("a few words", 500, 11)).toBe("a few words");
  expect(shortened("several words in a row", 80, 11)).toBe("several …");
  expect(shortened("word ".repeat(100_000), 80, 11)).toBe("word …"); // at a cost that does not grow with its square
  expect(shortened("a".repeat(50), 60, 11)).toMatch(/^a{2,7} …$/);
});

test("wide characters count as wide", () => {
  expect(textWidth("漢字", 10)).toBeGreaterThanOrEqual(20);
  expect(textWidth("il", 10)).toBeLessThan(textWidth("MW", 10));
});
