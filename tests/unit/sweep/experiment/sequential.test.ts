import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sequentialDifferences, sequentialSplits } from "../../../../bench/verdicts/simulate-sequential.js";
import { storedVerdict } from "../../../../src/sweep/experiment/experiment-summary.js";
import { armLines, experimentVerdict, type VerdictContext } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { measureComparisonSchema, pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import type { ExperimentEvidence } from "../../../../src/sweep/experiment/read-experiment-run.js";
import { earlierLooks, type RulesInput, rulesFromStored, rulesHash, storedRules } from "../../../../src/sweep/experiment/rules.js";
import { sequentialEvidence, sequentialEvidenceSchema } from "../../../../src/sweep/experiment/sequential.js";
import { pairedEValues } from "../../../../src/sweep/statistics/e-values.js";
import { evidenceOf, times } from "./experiment-runs.js";

type Arms = Parameters<typeof evidenceOf>[0];

/** Evidence of arms of which the first pairs have ended, out of 40. */
function evidence(arms: Arms, rules: RulesInput = {}, maximum = 40): ExperimentEvidence {
  return { ...evidenceOf(arms, { ...rules, sequential: true }), seeds: Array.from({ length: maximum }, (_, at) => 42 + at) };
}
const judged = (one: ExperimentEvidence, context?: VerdictContext) => experimentVerdict(one, pairedStatistics(one, []), context);
const states = (one: ExperimentEvidence) => sequentialEvidence(one).arms.map(({ arm, pairs, state, result }) => [arm, pairs, state, result]);

const still = { score: "null", values: { deadC: 1 } } as const;
const parted = { score: "positive", values: { deadC: 2 } } as const;
const losses = (values: readonly (number | null)[]) => values.map((finalLoss) => ({ values: { finalLoss } }));
const zeros = (count: number) => losses(times(count, 0));
const byLoss = { decides: ["finalLoss"] };
const noise = [0.1, -0.2, 0.15, -0.05, 0.02, -0.1, 0.08, 0.2, -0.12, 0.07];

describe("the evidence after each pair", () => {
  test("is that of the pairs before it, whatever follows, and ends with the decision", () => {
    const values = noise.map((value) => 0.3 + value);
    const { threshold, maximum, arms } = sequentialEvidenceSchema.parse(sequentialEvidence(evidence({ a: zeros(10), b: losses(values) }, byLoss)));
    expect([threshold, maximum]).toEqual([20, 40]);
    const [measure] = arms[0]?.measures ?? [];
    expect(measure?.e).toEqual(pairedEValues(values.slice(0, 9)).positive);
    expect(measure?.corrected).toEqual(measure?.e);
    expect(arms[0]).toMatchObject({ pairs: 9, state: "decided", result: "positive", decidedAt: 9 });
    for (const pairs of [3, 7]) {
      const [shorter] = sequentialEvidence(evidence({ a: zeros(pairs), b: losses(values) }, byLoss)).arms;
      expect(shorter?.measures[0]?.e).toEqual(measure?.e.slice(0, pairs));
    }
  });

  test("counts complete pairs in the order of the seeds, up to the first gap", () => {
    const one = evidence({ a: zeros(10), b: losses(times(10, 1)) }, byLoss);
    const without = (seed: number) => ({ ...one, runs: one.runs.filter((run) => run.arm === "a" || run.seed !== seed) });
    expect(states(one)).toEqual([["b", 6, "decided", "positive"]]);
    expect(states(without(46))).toEqual([["b", 4, "undecided", null]]);
    expect(states({ ...one, seeds: one.seeds.toReversed() })).toEqual([["b", 0, "undecided", null]]);
  });

  test("waits for a run that is still expected; an arm whose run has failed keeps its e values while others go on", () => {
    const one = evidence({ a: zeros(10), b: losses(times(10, 1)), c: losses(times(3, 1)) }, byLoss);
    expect(sequentialEvidence(one, { isPending: (arm, seed) => arm === "c" && seed === 45 }).arms.map(({ pairs }) => pairs)).toEqual([3, 3]);
    // c stays at 4 e, b needs e* = (e + 4.6) / 2 ≥ 20: 8 pairs, as e is 38.6 after 7.
    expect(states(one)).toEqual([
      ["b", 7, "decided", "positive"],
      ["c", 3, "undecided", null],
    ]);
  });

  test("of an arm that is decided stays in the correction of the others", () => {
    const one = evidence({ a: zeros(12), b: losses(times(12, 1)), c: losses(noise.map((value) => 0.3 + value)) }, byLoss);
    const [b, c] = sequentialEvidence(one).arms;
    expect([b?.pairs, c?.pairs, c?.state]).toEqual([7, 9, "decided"]);
    expect(b?.measures[0]?.e).toHaveLength(7);
  });
});

describe("an arm stops", () => {
  test("when scores show a difference: six splits of six, where score decides alone", () => {
    const { result, reason, arms } = judged(evidence({ a: times(9, still), b: times(9, parted) }, { decides: ["score"] }));
    expect(result).toBe("positive");
    expect(reason).toBe("b scores positive in 6 of 6 runs, a in 0 of 6 after 6 of 40 pairs: e = 20, 20 needed");
    expect(arms[0]).toMatchObject({ evidence: "score positive in 6 of 6 runs, a in 0 of 6 (e = 20, 20 needed)", missing: null });
  });

  test("with null after nine equal pairs, unless a run is positive", () => {
    const { result, reason } = judged(evidence({ a: times(12, still), b: times(12, still) }));
    expect(result).toBe("null");
    // 0.05^(1/9) = 0.717
    expect(reason).toBe("after 9 of 40 pairs, no run splits in 9 pairs, so a true rate above 29 % is ruled out (95 %); deadC differs by less than 0.5");
    expect(states(evidence({ a: times(12, parted), b: times(12, parted) }))).toEqual([["b", 12, "undecided", null]]);
    expect(states(evidence({ a: times(12, still), b: times(12, { ...still, score: "positive" }) }, { decides: ["deadC"] }))).toEqual([
      ["b", 12, "undecided", null],
    ]);
    expect(states(evidence({ a: times(12, still), b: times(12, { ...still, score: "degenerate" }) }, { decides: ["deadC"] }))[0]?.[3]).toBeNull();
  });

  test("with null when the difference is shown to be below its margin", () => {
    const one = evidence({ a: zeros(10), b: losses(noise) }, { ...byLoss, margin: { finalLoss: 0.3 } });
    expect(judged(one)).toMatchObject({ result: "null", reason: "after 9 of 40 pairs, finalLoss differs by less than 0.3" });
    const [measure] = sequentialEvidence(one).arms[0]?.measures ?? [];
    expect(measure?.eNull).toEqual(pairedEValues(noise.slice(0, 9), { margin: 0.3 }).null);
  });

  test("not before Hall's test agrees, which guards against skew", () => {
    // One large value among small ones leaves Hall's p above 0.05 / 20.
    const skewed = [0.1, 0.12, 1, 0.11, 0.1, 0.13, 0.12, 0.1, 0.12, 0.11];
    const [mean] = sequentialEvidence(evidence({ a: zeros(10), b: losses(skewed) }, byLoss)).arms;
    expect(mean?.measures[0]?.corrected[7]).toBeGreaterThan(20);
    expect(mean).toMatchObject({ pairs: 10, result: "positive" });
    expect(states(evidence({ a: zeros(10), b: losses(skewed) }, { ...byLoss, test: "median" }))).toEqual([["b", 6, "decided", "positive"]]);
  });

  test("not while n pairs can miss a change of 1 beyond the margin", () => {
    // Mean 1, margin 0.65: 1 − 0.05^(1/n) is 0.39 for 6 pairs and 0.348 for 7.
    const counts = (deadC: number) => times(9, { values: { deadC } });
    const rules = { decides: ["deadC"], margin: { deadC: 0.65 } };
    expect(states(evidence({ a: counts(0), b: counts(1) }, rules))).toEqual([["b", 7, "decided", "positive"]]);
    expect(states(evidence({ a: counts(0.5), b: counts(1.5) }, rules))).toEqual([["b", 6, "decided", "positive"]]);
  });

  test("without null when a pair lacks the measure, and with the lack counted against a difference", () => {
    const equal = evidence({ a: zeros(12), b: losses([null, ...times(11, 0)]) }, byLoss);
    expect(states(equal)).toEqual([["b", 12, "undecided", null]]);
    expect(states(evidence({ a: zeros(9), b: losses([null, ...times(8, 1)]) }, byLoss))).toEqual([["b", 9, "undecided", null]]);
  });

  test("as degenerate after three pairs in which an arm has no value", () => {
    const one = evidence({ a: zeros(5), b: losses(times(5, null)) }, byLoss);
    expect(states(one)).toEqual([["b", 3, "decided", "degenerate"]]);
    expect(judged(one).result).toBe("degenerate");
  });

  test("when the pairs that are left cannot decide, and goes on when their number is raised", () => {
    // Arms differ, so that null is impossible; e is 0.2 or less, and each pair at most doubles it.
    const arms = { a: zeros(20), b: losses([...noise, ...noise]) };
    const short = evidence(arms, byLoss, 16);
    const [[, pairs] = []] = states(short);
    expect(states(short)[0]?.slice(2)).toEqual(["hopeless", null]);
    const e = sequentialEvidence(short).arms[0]?.measures[0]?.e ?? [];
    expect((e.at(-1) ?? 0) * 2 ** (16 - Number(pairs))).toBeLessThan(20);
    expect((e.at(-2) ?? 0) * 2 ** (17 - Number(pairs))).toBeGreaterThanOrEqual(20);
    expect(armLines(judged(short))[0]?.missing).toMatch(/^the \d pairs that are left cannot decide: raise the number of seeds to continue$/);
    expect(states(evidence(arms, byLoss, 40))).toEqual([["b", 20, "undecided", null]]);
  });

  test("at the maximum", () => {
    const one = evidence({ a: zeros(4), b: losses([0, 0, 0, 0]) }, byLoss, 9);
    expect(states(one)).toEqual([["b", 4, "undecided", null]]);
    expect(armLines(judged(one))[0]?.missing).toBe("up to 5 more pairs");
    const last = evidence({ a: zeros(10), b: losses(noise) }, { ...byLoss, margin: { finalLoss: 0.12 } }, 10);
    expect(states(last)).toEqual([["b", 10, "at the maximum", null]]);
    expect(judged(last).reason).toMatch(
      /^after 10 of 10 pairs, finalLoss is not shown to lie within its margin of 0\.12 \(e = [\d.]+, 20 needed\)\. Corrected e:/,
    );
    expect(armLines(judged(last))[0]?.missing).toBe("more seeds: all 10 pairs are judged");
  });
});

test("the verdict is that of the evidence, whatever the arms are like", () => {
  const run = fc.record({
    score: fc.constantFrom("null", "null", "positive", "degenerate"),
    values: fc.record({
      deadC: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 9 }),
      finalLoss: fc.integer({ min: -9, max: 20 }).map((value) => value / 10),
    }),
  });
  const arm = fc.oneof(fc.array(run, { minLength: 6, maxLength: 12 }), fc.constantFrom(times(12, still), times(12, parted), times(5, parted)));
  const rules = fc.constantFrom<RulesInput>({}, { decides: ["deadC"] }, byLoss, { decides: ["finalLoss"], margin: { finalLoss: 1.5 }, test: "median" });
  fc.assert(
    fc.property(arm, arm, arm, rules, (a, b, c, given) => {
      const one = evidence({ a, b, c } as Arms, given, 12);
      const results = sequentialEvidence(one).arms.map(({ arm: name, result }) => [name, result ?? "inconclusive"]);
      const found = judged(one).arms.map(({ arm: name, result }) => [name, result]);
      expect(found).toEqual(results);
    }),
    { seed: 29, numRuns: 60 },
  );
});

describe("sequential rules", () => {
  const one = evidence({ a: zeros(10), b: losses(noise.map((value) => 0.3 + value)) }, byLoss);

  test("are stored and hashed only where they apply, and their maximum is not part of them", () => {
    expect(storedRules(one.rules)).toMatchObject({ sequential: true });
    expect(rulesFromStored(storedRules(one.rules))).toEqual(one.rules);
    expect(storedRules({ ...one.rules, sequential: false })).not.toHaveProperty("sequential");
    expect(rulesHash({ ...one.rules, sequential: false })).not.toBe(rulesHash(one.rules));
    expect(judged({ ...one, seeds: one.seeds.slice(0, 20) }).rules).toEqual(judged(one).rules);
    expect(judged(one).rules.join("\n")).toContain(
      "a corrected e of 20 (1 / alpha), after e-Holm over 1 test (1 deciding measure × 1 arm against the control)",
    );
  });

  test("give p values that hold at any time, and values of the judged pairs alone", () => {
    const [found] = pairedStatistics(one, []);
    const largest = Math.max(...pairedEValues(noise.slice(0, 9).map((value) => 0.3 + value)).positive);
    expect(measureComparisonSchema.parse(found)).toMatchObject({
      test: "e-value",
      p: 1 / largest,
      holm: 1 / largest,
      outcome: "differs",
      difference: { n: 9 },
    });
    expect(found?.treatment.values.filter((value) => value !== null)).toHaveLength(9);
  });

  test("allow more and fewer seeds after a result, but no other ones", () => {
    const last = { seeds: [1, 2, 3, 4], control: [], treatment: [], verdict: { result: "inconclusive", arms: [0] }, sequential: { arms: [{ pairs: 3 }] } };
    expect(earlierLooks(last, [1, 2, 3, 4, 5, 6])).toEqual([]);
    expect(earlierLooks(last, [1, 2, 3])).toEqual([]);
    const looks = earlierLooks(last, [4, 3, 2, 1]);
    expect(looks).toEqual([{ seeds: [1, 2, 3, 4], result: "inconclusive" }]);
    expect(judged(one, { looks }).notes?.[0]).toContain("its seeds were replaced or reordered");
    expect(judged(one).notes).toBeUndefined();
  });

  test("apply to a stored verdict", () => {
    const verdict = judged(one);
    const stored = { verdict, measures: pairedStatistics(one, []), control: one.runs.slice(0, 10), treatment: one.runs.slice(10) };
    const question = { rules: one.rules, seeds: one.seeds, arms: ["a", "b"] };
    expect(storedVerdict(stored, question)).toBe(verdict);
    expect(storedVerdict(stored, { ...question, rules: { ...one.rules, sequential: false } }).result).toBe("inconclusive");
  });
});

/** A percentage of so many experiments and four standard errors. */
const atMost = (percent: number, experiments: number) => percent + 4 * Math.sqrt((percent * (100 - percent)) / experiments);
const share = (counts: Uint32Array, experiments: number) => (100 * counts.reduce((sum, count) => sum + count, 0)) / experiments;

test("arms that are alike are positive at any of 40 looks in at most alpha of all experiments, and at the margin rarely null", () => {
  const experiments = 1000;
  for (const shape of ["normal", "Cauchy", "exponential (skewness 2)"] as const) {
    const { positive } = sequentialDifferences(shape, { experiments });
    expect(share(positive, experiments)).toBeLessThan(atMost(5, experiments));
  }
  const margin = sequentialDifferences("normal", { experiments, effect: 1, margin: 1 });
  expect(share(margin.positive, experiments)).toBeLessThan(atMost(5, experiments));
  expect(share(margin.null, experiments)).toBeLessThan(atMost(5, experiments));
  // 0.7^9 = 4.04 % of all experiments have no split in nine pairs.
  const splits = sequentialSplits(0.3, 0, { experiments });
  expect(share(splits.null, experiments)).toBeLessThan(atMost(4.04, experiments));
});

test("an effect of 1.5 standard deviations is found with about half of 20 pairs", () => {
  const experiments = 300;
  const { positive, meanPairs } = sequentialDifferences("normal", { experiments, effect: 1.5 });
  expect(share(positive, experiments)).toBeGreaterThan(99);
  expect(meanPairs).toBeGreaterThan(9);
  expect(meanPairs).toBeLessThan(11.5);
});
