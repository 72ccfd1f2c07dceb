import { expect, test } from "vitest";
import { z } from "zod";
import { census } from "../../../src/analysis/census/census.js";
import { Counts, censusShape, exactNumber, exactNumberSchema, jsonFigures } from "../../../src/analysis/document-fields.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { expectedFrom } from "../formats/reference-python.js";

test("what JSON has not becomes null at any depth, and the rest stays", () => {
  const given = { a: Number.NaN, b: [1, Number.POSITIVE_INFINITY, { c: -0.5 }], d: "NaN", e: null, f: true };
  expect(jsonFigures(given)).toEqual({ a: null, b: [1, null, { c: -0.5 }], d: "NaN", e: null, f: true });
});

test("the structure that was given does not change", () => {
  const given = { a: [Number.NaN] };
  jsonFigures(given);
  expect(given.a[0]).toBeNaN();
});

test.each([
  [1.5, 1.5],
  [0, 0],
  [-0, "-0"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
])("%d is told as %j, which survives JSON", (value, told) => {
  expect(exactNumber(value)).toBe(told);
  expect(exactNumberSchema.parse(JSON.parse(JSON.stringify(exactNumber(value))))).toBe(told);
});

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

const numbers = [7, 3, 3, 12, 0, 5, 3, 8];

test.each([numbers.length, numbers.length - 1])("%i numbers are described as numpy describes them", (count) => {
  const some = numbers.slice(0, count);
  const counts = new Counts();
  for (const value of some) counts.add(value);
  const { counts: pairs, sd, ...rest } = counts.distribution();
  const wanted = expectedFrom<{ sd: number; pairs: number[][] }>(
    `
import json, sys, numpy as np
x = np.array(json.loads(sys.argv[1]))
pairs = [[int(a) for a in pair] for pair in zip(*np.unique(x, return_counts=True))]
print(json.dumps({"sd": x.std(), "pairs": pairs, "n": len(x), "min": int(x.min()), "max": int(x.max()), "mean": x.mean(), "median": np.median(x)}))`,
    JSON.stringify(some),
  );
  expect({ ...rest, pairs }).toEqual({ ...wanted, sd: undefined, pairs: wanted.pairs });
  expect(sd).toBeCloseTo(wanted.sd, 12);
});

test("of no number there are no figures", () => {
  expect(new Counts().distribution()).toEqual({ n: 0, min: null, max: null, mean: null, sd: null, median: null, counts: [] });
});
