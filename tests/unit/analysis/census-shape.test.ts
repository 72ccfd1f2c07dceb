import { expect, test } from "vitest";
import { z } from "zod";
import { census } from "../../../src/analysis/census.js";
import { censusShape } from "../../../src/analysis/census-shape.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";

const schema = z.strictObject(censusShape);
const matrix = (text?: (token: number) => string | null) => new Matrix("U8", [3, 1], Uint8Array.of(1, 2, 1), new RowTokens({ vocabulary: 3, text }));

test("a census is a document as it is, with texts where tokens have some", () => {
  for (const found of [census(matrix()), census(matrix((token) => (token === 0 ? "a" : null)))]) {
    expect(schema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found);
  }
  expect(census(matrix((token) => (token === 0 ? "a" : null))).texts).toEqual([["a", null]]);
});

test("no count is negative or broken", () => {
  const found = census(matrix());
  for (const change of [{ rows: -1 }, { C: 0.5 }, { populations: [-2] }, { members: [[0, -2]] }])
    expect(schema.safeParse({ ...found, ...change }).success).toBe(false);
});
