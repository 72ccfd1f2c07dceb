import { expect, test } from "vitest";
import { findTokens } from "../../../../web/replay/token-search.js";

const texts = ["a", "A", "1", "10", "dead end", null, " "];
const history = { tokens: 7, ids: null, texts, dead: [2, 5] };
const nameOf = (row: number) => texts[row] ?? `#${row}`;
const rowsFor = (typed: string) => findTokens(typed, history, nameOf).options.map(({ row }) => row);

test("the exact text is first, then the id, then names that begin with it, then those that contain it", () => {
  expect(rowsFor("A")).toEqual([1, 0, 4]);
  expect(rowsFor("1")).toEqual([2, 1, 3]);
  expect(rowsFor("#5")).toEqual([5]);
});

test("dead lists the dead tokens, after those named so", () => {
  expect(rowsFor("dead")).toEqual([4, 2, 5]);
});

test("a space is found by its word", () => {
  expect(rowsFor("Space")).toEqual([6]);
});

test("an unknown token has no match", () => {
  expect(findTokens("xyz", history, nameOf)).toEqual({ options: [], matches: 0 });
});

test("of 10,001 tokens 50 are listed and all are counted", () => {
  const many = { tokens: 10_001, ids: null, texts: Array.from({ length: 10_001 }, (_, row) => `t${row}`), dead: [] };
  const { options, matches } = findTokens("t", many, (row) => many.texts[row] ?? "");
  expect(options).toHaveLength(50);
  expect(matches).toBe(10_001);
  expect(findTokens("9999", many, (row) => many.texts[row] ?? "").options.map(({ row }) => row)).toEqual([9999]);
});
