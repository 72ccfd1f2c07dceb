import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, test } from "vitest";
import { type ExperimentVerdict, experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { type ExperimentEvidence, pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { rulesHash } from "../../../../src/sweep/experiment/rules.js";
import { evidenceOf, times } from "./experiment-runs.js";

const judged = (evidence: ExperimentEvidence): ExperimentVerdict => experimentVerdict(evidence, pairedStatistics(evidence, []));

const still = { score: "null", values: { deadC: 1 } } as const;
const parted = (deadC: number) => ({ score: "positive", values: { deadC } }) as const;

describe("positive", () => {
  test("when a deciding measure differs after Holm's correction and beyond its margin", () => {
    // Nine discordant pairs, all one way: p = 2 / 2^9 = 0.0039, twice that for two measures. scipy's sign-flip test of the nine differences and a 0, shifted,
    // has p = 0.033 at 0.74, 0.053 at 0.751, 0.080 at 1.749, 0.041 at 1.76.
    const evidence = evidenceOf({ layernorm: times(10, still), rmsnorm: [still, ...[2, 3, 2, 3, 2, 3, 2, 3, 2].map(parted)] });
    const { result, reason } = judged(evidence);
    expect(result).toBe("positive");
    expect(reason).toBe(
      "rmsnorm differs from layernorm: score positive in 9 of 10 runs, in 0 of 10 of the control, p = 0.0039, corrected = 0.0078; " +
        "deadC by 1.3 on average (n = 10, sd 0.6749, 95 % interval 0.75 to 1.75), p = 0.0039, corrected = 0.0078",
    );
  });

  test("in either direction: the reason says which", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(8, parted(3)), rmsnorm: times(8, still) }));
    expect(result).toBe("positive");
    expect(reason).toContain("score positive in 0 of 8 runs, in 8 of 8 of the control");
    expect(reason).toContain("deadC by −2 on average");
  });

  test("not by a difference that lies within the margin, however sure it is", () => {
    const slightly = { score: "null", values: { deadC: 1.4 } } as const;
    const { result } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: times(10, slightly) }));
    expect(result).toBe("null");
  });

  test("not by a p that Holm's correction lifts above alpha", () => {
    // Six pairs, all one way: p = 2 / 64 = 0.031; one test alone would be positive.
    const arms = { layernorm: times(6, still), rmsnorm: times(6, parted(1)) };
    expect(judged(evidenceOf(arms, { decides: ["score"] })).result).toBe("positive");
    expect(judged(evidenceOf(arms)).result).toBe("inconclusive");
  });
});

describe("null", () => {
  test("when no run of the treatment is positive and all differences are exactly 0, with the bound that n allows", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: times(10, still) }));
    expect(result).toBe("null");
    expect(reason).toBe(
      "no run of rmsnorm scores positive, and score and deadC do not differ from layernorm beyond the margin. 0 of 10: below 26 % with 95 % confidence",
    );
  });

  test("not while an interval reaches beyond the margin", () => {
    const varied = [1, 2, 1, 2, 1, 0, 1, 1, 2, 0].map((deadC) => ({ score: "null", values: { deadC } }) as const);
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: varied }));
    expect(result).toBe("inconclusive");
    expect(reason).toContain("deadC may differ by more than 0.5");
  });

  test("not while a run of the treatment scores positive, even where the control's do as well", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, parted(2)), rmsnorm: times(10, parted(2)) }));
    expect(result).toBe("inconclusive");
    expect(reason).toContain("10 of 10 runs of rmsnorm score positive");
  });

  test("not while a pair lacks a deciding measure", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: [{ score: "degenerate" }, ...times(9, still)] }));
    expect(result).toBe("inconclusive");
    expect(reason).toContain("1 of 10 pairs has no score");
  });
});

describe("inconclusive", () => {
  test("says how many seeds it would take, where so few cannot give a small p", () => {
    // Two tests: 2 · 2 / 2^5 = 0.125 with five pairs, 2 · 2 / 2^7 = 0.031 with seven.
    const { result, reason } = judged(evidenceOf({ layernorm: times(5, still), rmsnorm: times(5, parted(2)) }));
    expect(result).toBe("inconclusive");
    expect(reason).toContain("With 5 pairs the smallest corrected p is 0.13: 7 are needed");
  });

  test("with fewer than three seeds, and the notebook's reading of each run beside it", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: [still], rmsnorm: [parted(2)] }));
    expect(result).toBe("inconclusive");
    expect(reason).toMatch(/^1 pair of seeds cannot answer, 3 are needed\. The notebook's own reading of each run: seed 42, layernorm null \(no split: /);
    expect(reason).toContain("rmsnorm positive (the 51 dead tokens of the black hole at the start have parted: 30 + 20 in 2 black holes, 1 alone)");
  });

  test("as long as a planned run is missing, whatever the others say", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: times(8, parted(3)) }));
    expect(result).toBe("inconclusive");
    expect(reason).toBe("rmsnorm lacks 2 runs (seeds 50, 51): the rules are for all of the plan");
  });
});

describe("degenerate", () => {
  test("when an arm's runs cannot be scored", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(4, { score: "degenerate" }), rmsnorm: times(4, still) }));
    expect(result).toBe("degenerate");
    expect(reason).toBe("the runs of layernorm cannot be scored: no two of the 51 dead tokens shared a black hole at the start");
  });

  test("when the histories of an arm never moved: their counts are no evidence, also where the score decides nothing", () => {
    const frozen = { score: "degenerate", degenerate: ["never-moved"], values: { deadC: 1 } } as const;
    expect(judged(evidenceOf({ layernorm: times(4, still), rmsnorm: times(4, frozen) }, { decides: ["deadC"] })).result).toBe("degenerate");
  });

  test("when an arm has no deciding measure at all", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(4, still), rmsnorm: times(4, still) }, { decides: ["evalLoss"] }));
    expect(result).toBe("degenerate");
    expect(reason).toBe("no run of layernorm has the measure evalLoss; no run of rmsnorm has the measure evalLoss");
  });
});

describe("several treatments", () => {
  const seven = { layernorm: times(7, still), rmsnorm: times(7, parted(2)), other: times(7, still) };

  test("are each judged against the control, in one family of Holm", () => {
    // Four tests: 4 · 2 / 2^7 = 0.0625 for the smallest, where two tests would give 0.031.
    const { result, arms, rules } = judged(evidenceOf(seven));
    expect(arms.map(({ arm, result: each }) => [arm, each])).toEqual([
      ["rmsnorm", "inconclusive"],
      ["other", "null"],
    ]);
    expect(result).toBe("inconclusive");
    expect(rules.join("\n")).toContain("over 4 tests (2 deciding measures × 2 arms against the control)");
  });

  test("make the experiment positive when one of them is, null when all are", () => {
    const eight = { layernorm: times(8, still), rmsnorm: times(8, parted(2)), other: times(8, still) };
    const { result, reason } = judged(evidenceOf(eight));
    expect(result).toBe("positive");
    expect(reason).toMatch(/^rmsnorm positive: rmsnorm differs from layernorm: .*\. other null: no run of other scores positive/);
    expect(judged(evidenceOf({ ...eight, rmsnorm: times(8, still) })).result).toBe("null");
  });
});

test("the rules are told as they were applied, with their hash", () => {
  const evidence = evidenceOf({ layernorm: times(3, still), rmsnorm: times(3, still) }, { decides: ["P"], margin: { P: 2 }, alpha: 0.01 });
  const { rules, rulesHash: hash } = judged(evidence);
  expect(rules).toContain("decides: P; every other measure is described, not judged");
  expect(rules).toContain("margin: means that lie at most so far apart count as alike: P 2");
  expect(rules.join("\n")).toContain("alpha: 0.01, two-sided, after Holm's correction over 1 test (1 deciding measure × 1 arm against the control)");
  expect(rules.join("\n")).toContain("the 99 % intervals");
  expect(hash).toBe(rulesHash(evidence.rules));
});

test("where arms are alike, no more than alpha of all experiments come out positive", () => {
  const generator = xoroshiro128plus(20_260_501);
  const experiments = 1500;
  const value = () => uniformFloat64(generator) ** 3; // skewed: no test here supposes a normal distribution
  const arm = () => Array.from({ length: 8 }, () => ({ values: { deadC: value(), P: value() } }));
  const rules = { decides: ["deadC", "P"], margin: { deadC: 0, P: 0 } };
  const positive = Array.from({ length: experiments }, () => judged(evidenceOf({ a: arm(), b: arm() }, rules)).result).filter(
    (each) => each === "positive",
  ).length;
  // p of eight pairs is a multiple of 2 / 256: at most 0.025 means 0.0234, and of two measures 0.046, which is 69 of 1,500 with a deviation of 8.
  expect(positive).toBeGreaterThan(69 - 4 * 8);
  expect(positive).toBeLessThan(69 + 4 * 8);
});
