import { expect, test } from "vitest";
import { jsonFigures } from "../../../src/analysis/json-figures.js";

test("what JSON has not becomes null at any depth, and the rest stays", () => {
  const given = { a: Number.NaN, b: [1, Number.POSITIVE_INFINITY, { c: -0.5 }], d: "NaN", e: null, f: true };
  expect(jsonFigures(given)).toEqual({ a: null, b: [1, null, { c: -0.5 }], d: "NaN", e: null, f: true });
});

test("the structure that was given does not change", () => {
  const given = { a: [Number.NaN] };
  jsonFigures(given);
  expect(given.a[0]).toBeNaN();
});
