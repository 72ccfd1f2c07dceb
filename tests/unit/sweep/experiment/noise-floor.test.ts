import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { designsFor } from "../../../../src/sweep/experiment/noise-floor.js";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import { python } from "../../formats/reference-python.js";

const rules = appliedRules(rulesSchema.parse({ decides: ["finalLoss"] }));

interface Powers {
  fixed: Record<string, number>;
  sequential: Record<string, number>;
  mean: Record<string, number>;
}

test("the pairs of both designs have the power that numpy finds, and one pair fewer has less", () => {
  const size = 1.2; // in standard deviations of a difference
  const designs = designsFor({ measure: "finalLoss", size, sd: Math.SQRT1_2, margin: 0, tests: 1, rules, isWhole: false });
  const of = (kind: "fixed" | "sequential") =>
    designs.filter(({ design }) => design === kind).map(({ power, pairs, meanPairs }) => ({ power, pairs: pairs ?? 0, meanPairs }));
  const around = (kind: "fixed" | "sequential") => of(kind).flatMap(({ pairs }) => [pairs - 1, pairs]);
  const input = JSON.stringify({ effect: size, fixed: around("fixed"), maxima: around("sequential") });
  const found = JSON.parse(execFileSync(python, ["tests/unit/sweep/experiment/reference_power.py"], { input, encoding: "utf8" })) as Powers;
  const noise = 4 * Math.sqrt(0.16 * (1 / 1000 + 1 / 4000)); // four standard errors of both simulations at a power of 80 %
  for (const kind of ["fixed", "sequential"] as const) {
    for (const { power, pairs } of of(kind)) {
      expect(found[kind][pairs], `${kind}, ${pairs} pairs`).toBeGreaterThan(power - noise);
      expect(found[kind][pairs - 1], `${kind}, ${pairs - 1} pairs`).toBeLessThan(power + noise);
    }
  }
  for (const { pairs, meanPairs } of of("sequential")) expect(Math.abs((found.mean[pairs] ?? 0) - (meanPairs ?? 0))).toBeLessThan(0.6);
});

test("an effect far above the spread needs the smallest number of pairs, and one far below more than are simulated", () => {
  const pairsOf = (size: number) => designsFor({ measure: "finalLoss", size, sd: 0.01, margin: 0, tests: 1, rules, isWhole: false }).map(({ pairs }) => pairs);
  expect(pairsOf(1)).toEqual([6, 6, 6, 6]);
  expect(pairsOf(1e-4)).toEqual([null, null, null, null]);
});
