import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import { sequentialEvidence } from "../../../../src/sweep/experiment/sequential.js";
import { eHolm, pairedEValues } from "../../../../src/sweep/statistics/e-values.js";
import { expectedFrom } from "../../formats/reference-python.js";

const reference = readFileSync(join(import.meta.dirname, "reference_e_values.py"), "utf8");
/** Evaluate a Python expression over `cases` with the reference at hand. */
const evaluated = <Value>(expression: string, cases: unknown) =>
  expectedFrom<Value>(`import sys, json\n${reference}\ncases = json.loads(sys.argv[1])\nprint(json.dumps(${expression}))`, JSON.stringify(cases));

const vector = [0.4, 0.1, 0.3, 0.2, 0.5, -0.1, 0.3];

/** Continuous, whole and skewed differences, with ties at 0 and at the margins below. */
const difference = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -400, max: 900 }).map((value) => value / 1000),
  fc.integer({ min: 0, max: 1000 }).map((value) => Math.round(Math.exp(value / 200) * 100) / 100),
);
const sampled = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns: number) => fc.sample(arbitrary, { seed: 20_261_128, numRuns });

test("the published vectors", () => {
  expect(pairedEValues(vector).positive).toEqual([1, 1.4456, 2.576, 4.6207, 8.9671, 3.4361, 6.227].map((e) => expect.closeTo(e, 4)));
  expect(pairedEValues(vector, { margin: 0.1 }).positive.at(-1)).toBeCloseTo(1.3182, 4);
  expect(pairedEValues([2, 2, 2, 2, 2, 2]).positive.at(-1)).toBeCloseTo(20.118, 3);
  expect(eHolm([50, 12, 1])).toEqual([21, 6.5, 1]);
});

test.each(["mean", "median"] as const)("e values of the %s after each pair are those of the reference, with and without margin and lacking pairs", (kind) => {
  const pair = fc.option(difference, { freq: 12 });
  const cases = sampled(fc.tuple(fc.array(pair, { minLength: 1, maxLength: 30 }), fc.constantFrom(0, 0.5, 1), fc.constant(kind)), 60);
  const expected = evaluated<[number[], number[]][]>("[growing(*case) for case in cases]", cases);
  for (const [at, [pairs, margin]] of cases.entries()) {
    const found = pairedEValues(pairs, { margin, test: kind });
    for (const [side, values] of [found.positive, found.null].entries()) {
      for (const [look, e] of values.entries()) expect(Math.abs(e / (expected[at]?.[side]?.[look] ?? Number.NaN) - 1)).toBeLessThan(1e-9);
    }
  }
});

test("e-Holm is closed testing by averages over all subsets", () => {
  const cases = sampled(fc.array(fc.oneof(fc.double({ min: 0, max: 60, noNaN: true }), fc.constantFrom(0, 1, 20)), { minLength: 1, maxLength: 8 }), 100);
  const expected = evaluated<number[][]>("[closed(case) for case in cases]", cases);
  for (const [at, values] of cases.entries()) expect(eHolm(values)).toEqual((expected[at] ?? []).map((e) => expect.closeTo(e, 9)));
});

test("an experiment is decided at the pair and in the way of the reference", () => {
  const maximum = 30;
  const continuous = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 1000);
  const measure = fc
    .tuple(fc.constantFrom(0, 0, 0.3, 1), fc.constantFrom(0.5, 1, 2), fc.boolean(), fc.array(continuous, { minLength: maximum, maxLength: maximum }))
    .map(([effect, spread, isWhole, values]) => values.map((value) => (isWhole ? Math.round(3 * (effect + spread * value)) : effect + spread * value)));
  const cases = sampled(fc.tuple(fc.array(measure, { minLength: 1, maxLength: 3 }), fc.constantFrom(0, 0.8, 2)), 50).map(
    ([measures, margin]) => [measures, measures.map(() => margin)] as const,
  );
  const expected = evaluated<[string | null, number][]>("[ending(*case) for case in cases]", cases);
  const found = cases.map(([measures, margins]) => {
    const decides = ["finalLoss", "evalLoss", "displacement"].slice(0, measures.length);
    const margin = Object.fromEntries(decides.map((name, at) => [name, margins[at] ?? 0]));
    const rules = appliedRules(rulesSchema.parse({ decides, margin, sequential: true }));
    const seeds = Array.from({ length: maximum }, (_, seed) => seed);
    const runOf = (arm: string, seed: number) => ({
      arm,
      seed,
      degenerate: [],
      values: Object.fromEntries(decides.map((name, at) => [name, arm === "control" ? 0 : (measures[at]?.[seed] ?? 0)])),
    });
    const runs = seeds.flatMap((seed) => [runOf("control", seed), runOf("treatment", seed)]);
    const [arm] = sequentialEvidence({ rules, seeds, control: "control", treatments: ["treatment"], runs }).arms;
    return [arm?.result ?? null, arm?.state === "hopeless" ? maximum : arm?.pairs];
  });
  expect(found).toEqual(expected);
  expect(new Set(found.map(([result]) => result))).toEqual(new Set(["positive", "null", null]));
});

test("a scale changes nothing, from the smallest doubles to the largest", () => {
  const whole = [4, 1, 3, 2, 5, -1, 3];
  for (const size of [5e-324, 1e-200, 1e200, 3e307]) {
    const found = pairedEValues(
      whole.map((value) => value * size),
      { margin: size },
    );
    expect(found.positive).toEqual(pairedEValues(whole, { margin: 1 }).positive.map((e) => expect.closeTo(e, 9)));
  }
  // A small difference before a large one keeps its bet.
  const [small, large] = [1e-200, 1e200];
  expect(pairedEValues([small, large]).positive[0]).toBe(pairedEValues([small]).positive[0]);
  expect(pairedEValues(new Array<number>(2000).fill(1)).positive.at(-1)).toBe(Number.MAX_VALUE / 2);
});

test("the capital of fair signs has a mean of 1 over all of them", () => {
  const sizes = [0.4, 0.1, 0.3, 0.2, 0.5, 2, 0.3];
  const assignments = Array.from({ length: 2 ** sizes.length }, (_, flipped) => sizes.map((size, bit) => (flipped & (1 << bit) ? -size : size)));
  for (const kind of ["mean", "median"] as const) {
    const capitals = assignments.map((signed) => pairedEValues(signed, { test: kind }).positive.at(-1) ?? 0);
    expect(capitals.reduce((sum, e) => sum + e, 0) / capitals.length).toBeCloseTo(1, 12);
  }
});
