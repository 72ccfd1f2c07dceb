import { expect, test } from "vitest";
import type { ConfigIssue } from "../../../../src/errors.js";
import {
  axisSchema,
  axisValues,
  maxSobolDimensions,
  parseAxisText,
  parseSeedsText,
  randomPoints,
  randomSchema,
  sobolDraws,
  sobolPoints,
  sobolSchema,
  wholeRange,
} from "../../../../src/sweep/grammar/axis.js";
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

const over = {
  "training.learning_rate": { log: [1e-4, 1e-2] },
  "init.sigma": { uniform: [0, 1] },
  seed: { int: [1, 3] },
  "model.norm": ["rmsnorm", "layernorm"],
};

test.each([
  ["random", (trials: number, seed: number) => randomPoints(randomSchema.parse({ trials, seed, over }))],
  ["sobol", (trials: number, seed: number) => sobolDraws(sobolSchema.parse({ trials, seed, over }))],
])("%s draws are the same for a seed, others for another, and more begin with fewer", (_, draw) => {
  const points = draw(50, 7);
  expect(draw(50, 7)).toEqual(points);
  expect(draw(20, 7)).toEqual(points.slice(0, 20));
  expect(draw(50, 8)).not.toEqual(points);
});

test.each([
  ["random", randomPoints(randomSchema.parse({ trials: 400, seed: 1, over }))],
  ["sobol", sobolDraws(sobolSchema.parse({ trials: 400, seed: 1, over }))],
])("%s draws lie where they are said to, and everywhere there", (_, points) => {
  const column = (path: string) => points.map((point) => point[path]);
  const rates = column("training.learning_rate") as number[];
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
  expect(Math.max(...rates)).toBeLessThanOrEqual(1e-2); // rounded
  // Even in the logarithm: half of them below the geometric mean of the ends, within four standard deviations (4 · 10 of 400).
  expect(Math.abs(rates.filter((rate) => rate < 1e-3).length - 200)).toBeLessThanOrEqual(40);
  const sigmas = column("init.sigma") as number[];
  expect(Math.abs(sigmas.filter((sigma) => sigma < 0.5).length - 200)).toBeLessThanOrEqual(40);
  expect(new Set(column("seed"))).toEqual(new Set([1, 2, 3]));
  expect(new Set(column("model.norm"))).toEqual(new Set(["rmsnorm", "layernorm"]));
});

test.each([
  [{ trials: 0, over: { seed: [1] } }],
  [{ trials: 1, over: { seed: { log: [0, 1] } } }],
  [{ trials: 1, over: { seed: { uniform: [1, 1] } } }],
  [{ trials: 1, seed: -1, over: { seed: [1] } }],
])("%j is refused", (drawn) => {
  expect(randomSchema.safeParse(drawn).success).toBe(false);
});

test("the plain sequence is scipy's, in every dimension that there is", () => {
  const program = `
import json, sys, warnings
from scipy.stats import qmc
print(json.dumps(qmc.Sobol(int(sys.argv[1]), scramble=False, bits=30).random(128).tolist()))`;
  const expected = expectedFrom<number[][]>(program, String(maxSobolDimensions));
  expect(sobolPoints(128, new Array<number>(maxSobolDimensions).fill(0))).toEqual(expected);
});

test("a shift keeps how evenly the points lie: each of 2^k intervals has one of 2^k points", () => {
  const points = sobolPoints(64, [123_456_789, 987_654_321]);
  for (const dimension of [0, 1]) {
    expect(new Set(points.map((point) => Math.floor((point[dimension] ?? 0) * 64))).size).toBe(64);
  }
  expect(points[0]).toEqual([123_456_789 / 2 ** 30, 987_654_321 / 2 ** 30]);
});
