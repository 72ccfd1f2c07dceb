import { expect, test } from "vitest";
import { maxSobolDimensions, randomPoints, randomSchema, sobolDraws, sobolPoints, sobolSchema } from "../../../../src/sweep/grammar/drawn-points.js";
import { expectedFrom } from "../../formats/reference-python.js";

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
