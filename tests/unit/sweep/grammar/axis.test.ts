import { expect, test } from "vitest";
import type { ConfigIssue } from "../../../../src/errors.js";
import { axisSchema, axisValues, parseAxisText, parseSeedsText, wholeRange } from "../../../../src/sweep/grammar/axis.js";
import { expectedFrom } from "../../formats/reference-python.js";

test("a list is its values, of any kind", () => {
  expect(axisValues(axisSchema.parse([1e-3, "cosine", null, { kind: "singular" }]))).toEqual([1e-3, "cosine", null, { kind: "singular" }]);
});

test("a range of whole numbers is one value each", () => {
  expect(axisValues(axisSchema.parse("42..44"))).toEqual([42, 43, 44]);
});

test("powers of ten come out as they are written", () => {
  expect(axisValues({ logspace: [1e-6, 1e-3, 4] })).toEqual([1e-6, 1e-5, 1e-4, 1e-3]);
});

test.each([
  ["logspace", [1e-6, 1e-3, 7], "geomspace"],
  ["logspace", [3, 0.02, 11], "geomspace"],
  ["linspace", [0.1, 0.9, 6], "linspace"],
  ["linspace", [5, -4, 4], "linspace"],
] as const)("%s of %j is numpy's %s to 12 digits", (kind, span, name) => {
  const expected = expectedFrom<number[]>(`import json, sys, numpy; print(json.dumps(numpy.${name}(*json.loads(sys.argv[1])).tolist()))`, JSON.stringify(span));
  const values = axisValues(axisSchema.parse({ [kind]: span })) as number[];
  expect(values).toHaveLength(span[2]);
  values.forEach((value, index) => {
    expect(value / (expected[index] ?? Number.NaN)).toBeCloseTo(1, 11);
  });
});

test.each([[[]], [3], ["1..x"], [{ logspace: [0, 1, 3] }], [{ linspace: [0, 1] }], [{ linspace: [0, 1, 1] }], [{ grid: [1] }]])("%j is no axis", (axis) => {
  expect(axisSchema.safeParse(axis).success).toBe(false);
});

test.each([
  ["a.b=1e-3,3e-4", [1e-3, 3e-4]],
  ["a.b=rmsnorm, layernorm", ["rmsnorm", "layernorm"]],
  ["a.b=5", [5]],
  ["a.b=1..9", "1..9"],
  ["a.b=logspace:1e-6,1e-3,7", { logspace: [1e-6, 1e-3, 7] }],
  ["a.b=linspace:0,1,5", { linspace: [0, 1, 5] }],
  ['a.b={"logspace":[1,10,2]}', { logspace: [1, 10, 2] }],
  ["a.b=[1,null]", [1, null]],
])("%s", (text, values) => {
  expect(parseAxisText(text, "--grid", [])).toEqual({ path: "a.b", values });
});

test.each(["a.b", "=1", "a..b=1", "a.b="])("%s is told to be no axis", (text) => {
  const issues: ConfigIssue[] = [];
  expect(parseAxisText(text, "--zip", issues)).toBeUndefined();
  expect(issues).toEqual([{ path: text, message: "is not path=values, for example training.learning_rate=1e-3,3e-4", source: "--zip" }]);
});

test.each([
  ["42..51", "42..51"],
  ["1,2,5", [1, 2, 5]],
  ["7", 7],
])("seeds %s", (text, seeds) => {
  expect(parseSeedsText(text)).toEqual(seeds);
});

test.each([
  ["42..45", [42, 43, 44, 45]],
  [" 3 .. 1 ", [3, 2, 1]],
  ["-1..1", [-1, 0, 1]],
  ["7..7", [7]],
])("%s is a range with both ends", (text, values) => {
  expect(wholeRange(text)).toEqual(values);
});

test.each(["42", "1.5..3", "1..", "a..b", "1...3", "0..1000000"])("%s is none", (text) => {
  expect(wholeRange(text)).toBeUndefined();
});
