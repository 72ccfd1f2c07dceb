import { expect, test } from "vitest";
import { RowTokens } from "../../../src/formats/row-tokens.js";

test("without a choice row i is token i", () => {
  const tokens = RowTokens.all(4);
  expect([tokens.count, tokens.vocabulary, tokens.ofRow(3)]).toEqual([4, 4, 3]);
  expect(tokens.ofRows([2, 0])).toEqual([0, 2]);
});

test("chosen rows are the tokens that were named, and lists of them come ascending", () => {
  const tokens = new RowTokens({ vocabulary: 128, ids: [100, 5, 7] });
  expect([tokens.count, tokens.vocabulary, tokens.ofRow(0)]).toEqual([3, 128, 100]);
  expect(tokens.ofRows([0, 1, 2])).toEqual([5, 7, 100]);
});
