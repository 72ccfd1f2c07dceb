import { expect, test } from "vitest";
import { axisSchema, axisValues } from "../../../../src/sweep/grammar/axis.js";
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
