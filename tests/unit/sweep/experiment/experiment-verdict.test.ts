import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, test } from "vitest";
import { armLines, type ExperimentVerdict, experimentVerdict, type VerdictContext } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import type { ExperimentEvidence } from "../../../../src/sweep/experiment/read-experiment-run.js";
import { earlierLooks, type RulesInput, rulesHash } from "../../../../src/sweep/experiment/rules.js";
import { evidenceOf, times } from "./experiment-runs.js";

const judged = (evidence: ExperimentEvidence): ExperimentVerdict => experimentVerdict(evidence, pairedStatistics(evidence, []));

const still = { score: "null", values: { deadC: 1 } } as const;
const parted = (deadC: number) => ({ score: "positive", values: { deadC } }) as const;

describe("positive", () => {
  test("when a deciding measure differs by more than its margin after Holm's correction", () => {
    // Nine discordant pairs, all one way: p = 2 / 2^9 = 0.0039, twice that for two measures. Against the margin of 0.5, deadC has p = 0.01367 by
    // reference_pairs.py, the larger of two tests; its interval is the hull of 0.75 to 1.75 by sign flips and 0.7501 to 1.736 by Hall.
    const evidence = evidenceOf({ layernorm: times(10, still), rmsnorm: [still, ...[2, 3, 2, 3, 2, 3, 2, 3, 2].map(parted)] });
    const { result, reason } = judged(evidence);
    expect(result).toBe("positive");
    expect(reason).toBe(
      "rmsnorm scores positive in 9 of 10 runs, layernorm in 0 of 10; corrected p = 0.0078; " +
        "rmsnorm exceeds layernorm in deadC by 1.3 (95 % interval 0.75 to 1.75, 10 pairs), beyond the margin of 0.5; corrected p = 0.014",
    );
  });

  test("in either direction: the reason says which", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(8, parted(3)), rmsnorm: times(8, still) }));
    expect(result).toBe("positive");
    expect(reason).toContain("rmsnorm scores positive in 0 of 8 runs, layernorm in 8 of 8");
    expect(reason).toContain("rmsnorm is below layernorm in deadC by 2 (");
  });

  test("not by a difference that lies within the margin, however sure it is", () => {
    const slightly = { score: "null", values: { deadC: 1.4 } } as const;
    const { result } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: times(10, slightly) }));
    expect(result).toBe("null");
  });

  test("not by a difference whose mean exceeds the margin while the data do not show it", () => {
    // Mean 0.65, beyond the margin of 0.5, and clearly above 0; against 0.5 the test has p = 0.2 or more.
    const values = [0.6, 0.9, 0.4, 0.8, 0.5, 0.7, 0.3, 1.0].map((deadC) => ({ score: "null", values: { deadC } }) as const);
    const arms = { layernorm: times(8, { score: "null", values: { deadC: 0 } } as const), rmsnorm: values };
    expect(judged(evidenceOf(arms, { decides: ["deadC"] })).result).toBe("inconclusive");
    expect(judged(evidenceOf(arms, { decides: ["deadC"], margin: { deadC: 0 } })).result).toBe("positive");
  });

  test("for differences of 1e200 as for those of 1", () => {
    const arms = (size: number) => ({
      a: times(8, { values: { P: 0 } }),
      b: [1, 2, 1, 3, 2, 1, 2, 2].map((value) => ({ values: { P: value * size } })),
    });
    const { result, reason } = judged(evidenceOf(arms(1e200), { decides: ["P"] }));
    expect(result).toBe("positive");
    expect(reason).toContain("b exceeds a in P by 1.75e+200");
    expect(judged(evidenceOf(arms(1), { decides: ["P"] })).result).toBe("positive");
  });

  test("with lacking pairs counted against it", () => {
    // Eight pairs all one way have p = 2 / 2^8; with one that lacks a score, McNemar has 8 against 1 of 9: 2 · 10 / 2^9 = 0.039; with two, 2 · 56 / 2^10.
    const arms = (lacking: number) => ({ a: times(8 + lacking, still), b: [...times(8, parted(2)), ...times(lacking, { score: "degenerate" } as const)] });
    expect(judged(evidenceOf(arms(1), { decides: ["score"] })).result).toBe("positive");
    expect(judged(evidenceOf(arms(2), { decides: ["score"] })).result).toBe("inconclusive");
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
    // 0.05^(1/10) = 0.7411
    expect(reason).toBe("no run splits in 10 pairs, so a true rate above 26 % is ruled out (95 %); deadC differs by less than 0.5");
  });

  test("never with fewer than nine pairs: a rate of 0.3 would be missed too often", () => {
    // 0.7^8 = 0.058, 0.7^9 = 0.040; three pairs leave room for 1 − 0.05^(1/3) = 0.632.
    const equal = (n: number, rules: RulesInput = {}) => judged(evidenceOf({ layernorm: times(n, still), rmsnorm: times(n, still) }, rules));
    expect([3, 8, 9].map((n) => equal(n).result)).toEqual(["inconclusive", "inconclusive", "null"]);
    expect(equal(3).reason).toContain("3 pairs without a split cannot rule out a true rate of 63 %; 6 more without one would give null");
    expect(equal(6, { nullBelow: 0.4 }).result).toBe("null"); // 0.6^6 = 0.047
    expect(equal(6, { nullBelow: 0.4, decides: ["deadC"] }).result).toBe("null");
    expect(equal(20, { nullBelow: 0.1 }).result).toBe("inconclusive"); // 0.9^20 = 0.12
  });

  test("not for whole numbers with a margin that a rare change would exceed", () => {
    // Nine pairs can miss a change of 1 at a rate of 1 − 0.05^(1/9) = 0.283.
    const equal = (margin: number) =>
      judged(evidenceOf({ layernorm: times(9, still), rmsnorm: times(9, still) }, { decides: ["deadC"], margin: { deadC: margin } }));
    expect(equal(0.29).result).toBe("null");
    expect(equal(0.28)).toMatchObject({ result: "inconclusive", reason: expect.stringContaining("deadC may differ by −0.2831 to 0.2831, margin 0.28") });
  });

  test("of a measure without a margin only when it is equal in every pair", () => {
    const values = (last: number) => [...times(9, { values: { P: 51 } }), { values: { P: last } }];
    const judge = (last: number) => judged(evidenceOf({ a: values(51), b: values(last) }, { decides: ["P"] }));
    expect(judge(51)).toMatchObject({ result: "null", reason: "P is equal in 10 of 10 pairs, so a true rate above 26 % is ruled out (95 %)" });
    expect(judge(52)).toMatchObject({ result: "inconclusive", reason: expect.stringContaining("P may differ, by ") });
  });

  test("not where scores that do not decide disagree, or where no run could be scored", () => {
    const arms = { layernorm: times(10, { ...still, score: "positive" } as const), rmsnorm: times(10, still) };
    const disagreeing = judged(evidenceOf(arms, { decides: ["deadC"] }));
    expect(disagreeing.result).toBe("inconclusive");
    expect(disagreeing.reason).toContain(
      "rmsnorm scores positive in 0 of 10 runs, layernorm in 10 of 10: the scores disagree in 10 of 10 pairs, although score does not decide",
    );
    const unscored = { ...still, score: "degenerate" } as const;
    const degenerate = judged(evidenceOf({ layernorm: times(10, unscored), rmsnorm: times(10, unscored) }, { decides: ["deadC"] }));
    expect(degenerate.result).toBe("inconclusive");
    expect(degenerate.reason).toContain("no run of layernorm can be scored (no two of the 51 dead tokens shared a black hole at the start)");
    const loss = { score: "degenerate", values: { finalLoss: 2 } } as const;
    expect(judged(evidenceOf({ a: times(10, loss), b: times(10, loss) }, { decides: ["finalLoss"] })).result).toBe("null");
  });

  test("not while an interval reaches beyond the margin", () => {
    const varied = [1, 2, 1, 2, 1, 0, 1, 1, 2, 0].map((deadC) => ({ score: "null", values: { deadC } }) as const);
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: varied }));
    expect(result).toBe("inconclusive");
    // Sign flips alone cannot exclude a mean of 0.375 below 0 to 0.5 above it; a change of 1 at a rate of 0.259 can be missed.
    expect(reason).toMatch(/deadC may differ by −0\.\d+ to 0\.\d+, margin 0\.5/);
  });

  test("not while a run of the treatment scores positive, even where the control's do as well", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, parted(2)), rmsnorm: times(10, parted(2)) }));
    expect(result).toBe("inconclusive");
    expect(reason).toContain("rmsnorm scores positive in 10 of 10 runs, layernorm in 10 of 10");
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
    expect(reason).toContain("5 pairs cannot reach p ≤ 0.05 with 2 tests; 7 can");
    expect(reason).toContain("Corrected p: score 0.13, deadC 0.13");
  });

  test("with fewer than three seeds, and the notebook's reading of each run beside it", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: [still], rmsnorm: [parted(2)] }));
    expect(result).toBe("inconclusive");
    expect(reason).toMatch(
      /^One seed has no spread: an observation, no comparison\. The notebook's own reading of each run: seed 42, layernorm null \(no split: /,
    );
    expect(reason).toContain("rmsnorm positive (the 51 dead tokens of the black hole at the start have parted: 30 + 20 in 2 black holes, 1 alone)");
  });

  test("as long as a planned run is missing, whatever the others say", () => {
    const { result, reason } = judged(evidenceOf({ layernorm: times(10, still), rmsnorm: times(8, parted(3)) }));
    expect(result).toBe("inconclusive");
    expect(reason).toBe("rmsnorm lacks 2 runs (seeds 50, 51): the rules apply to the complete plan");
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
  const nine = { layernorm: times(9, still), rmsnorm: times(9, parted(2)), other: times(9, still) };

  test("are each judged against the control, in one family of Holm", () => {
    // Four tests: 4 · 2 / 2^7 = 0.0625 for the smallest, where two tests would give 0.031.
    const { result, arms, rules } = judged(evidenceOf(seven));
    expect(arms.map(({ arm, result: each }) => [arm, each])).toEqual([
      ["rmsnorm", "inconclusive"],
      ["other", "inconclusive"],
    ]);
    expect(result).toBe("inconclusive");
    expect(rules.join("\n")).toContain("over 4 tests (2 deciding measures × 2 arms against the control)");
  });

  test("make the experiment positive when one of them is, null when all are", () => {
    const { result, reason } = judged(evidenceOf(nine));
    expect(result).toBe("positive");
    expect(reason).toMatch(/^rmsnorm positive: rmsnorm scores positive in 9 of 9 runs, .*\. other null: no run splits in 9 pairs/);
    expect(judged(evidenceOf({ ...nine, rmsnorm: times(9, still) })).result).toBe("null");
  });
});

describe("beside the verdict stand", () => {
  const evidence = evidenceOf({ layernorm: times(9, still), rmsnorm: times(9, still) });
  const notesOf = (context: VerdictContext, one = evidence) => experimentVerdict(one, pairedStatistics(one, []), context);

  test("the settings of an arm that changes more than one", () => {
    const { notes, arms } = notesOf({ settings: { rmsnorm: ["model.norm", "training.learning_rate"] } });
    const expected = ["rmsnorm changes 2 settings (model.norm, training.learning_rate): the verdict cannot be attributed to one of them"];
    expect(notes).toEqual(expected);
    expect(arms[0]?.notes).toEqual(expected);
    expect(notesOf({ settings: { rmsnorm: ["model.norm"] } }).notes).toBeUndefined();
  });

  test("earlier looks: what was read over other seeds, and whether it could have been a verdict", () => {
    const over = (seeds: number) => ({ seeds: Array.from({ length: seeds }, (_, at) => 42 + at), result: "inconclusive" });
    const second = notesOf({ looks: [over(7)] }).notes?.[0];
    expect(second).toMatch(/^Second look: this experiment was judged before \(inconclusive over 7 seeds\)/);
    expect(second).toContain("adds false positives beyond alpha");
    expect(second).toContain("Sequential rules (rules.sequential) allow such looks");
    // Two tests need seven pairs to be positive, and null needs nine: six could decide nothing.
    expect(notesOf({ looks: [over(6)] }).notes?.[0]).toContain("With fewer than 7 seeds only inconclusive was possible");
  });

  test("skew, with the p of the median test", () => {
    const losses = [0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.2, 0.3, -0.1, 9].map((finalLoss) => ({ values: { finalLoss } }));
    const skewed = evidenceOf({ a: times(10, { values: { finalLoss: 0 } }), b: losses }, { decides: ["finalLoss"] });
    // scipy.stats.skew(bias=False) = 3.152; one of ten is below 0: 2 · 11 / 2^10 = 0.021.
    expect(notesOf({}, skewed).notes).toEqual(["The differences in finalLoss are skewed (G = 3.152); the median test gives p = 0.021"]);
    const median = evidenceOf({ a: times(10, { values: { finalLoss: 0 } }), b: losses }, { decides: ["finalLoss"], test: "median" });
    const { result, reason, notes } = notesOf({}, median);
    expect([result, notes]).toEqual(["positive", undefined]);
    expect(reason).toContain("b exceeds a in finalLoss by 0.2 in the median");
  });
});

test("a verdict over other seeds is an earlier look when all its runs were there; one over the same seeds is not", () => {
  const judgedOver = (seeds: number[], runs = seeds.length) => ({
    seeds,
    control: times(runs, 0),
    treatment: times(seeds.length, 0),
    verdict: { result: "null", arms: [0] },
  });
  const look = { seeds: [1, 2, 3], result: "null" };
  expect(earlierLooks(undefined, [1, 2])).toEqual([]);
  expect(earlierLooks(judgedOver([1, 2, 3]), [3, 2, 1])).toEqual([]);
  expect(earlierLooks(judgedOver([1, 2, 3], 2), [1, 2, 3, 4])).toEqual([]);
  expect(earlierLooks(judgedOver([1, 2, 3]), [1, 2, 3, 4])).toEqual([look]);
  // A directory keeps its looks: over four seeds after three, judged again over four, then over two.
  const later = { ...judgedOver([1, 2, 3, 4]), looks: [look] };
  expect(earlierLooks(later, [1, 2, 3, 4])).toEqual([look]);
  expect(earlierLooks(later, [1, 2])).toEqual([look, { seeds: [1, 2, 3, 4], result: "null" }]);
});

test("the rules are told as they were applied, with their hash", () => {
  const evidence = evidenceOf({ layernorm: times(3, still), rmsnorm: times(3, still) }, { decides: ["P"], margin: { P: 2 }, alpha: 0.01 });
  const { rules, rulesHash: hash } = judged(evidence);
  expect(rules).toContain("decides: P; every other measure is described, not judged");
  expect(rules).toContain("margin: differences of at most this size count as none: P 2");
  expect(rules.join("\n")).toContain("alpha: 0.01, two-sided, after Holm's correction over 1 test (1 deciding measure × 1 arm against the control)");
  expect(rules.join("\n")).toContain("needs 13 pairs, which rule out differences at a rate of 0.3"); // 0.7^12 = 0.0138, 0.7^13 = 0.0097
  expect(rules.join("\n")).toContain("against the margin; needs 8 pairs"); // 2 / 2^7 = 0.0156, 2 / 2^8 = 0.0078
  expect(hash).toBe(rulesHash(evidence.rules));
});

test("where arms are alike, no more than alpha of all experiments come out positive", () => {
  const generator = xoroshiro128plus(20_260_501);
  const experiments = 400;
  const value = () => uniformFloat64(generator) ** 3; // skewed: no test here supposes a normal distribution
  const arm = () => Array.from({ length: 8 }, () => ({ values: { deadC: value(), P: value() } }));
  const rules = { decides: ["deadC", "P"], margin: { deadC: 0, P: 0 } };
  const positive = Array.from({ length: experiments }, () => judged(evidenceOf({ a: arm(), b: arm() }, rules)).result).filter(
    (each) => each === "positive",
  ).length;
  // The sign-flip p of eight pairs is a multiple of 2 / 256: at most 0.025 means 0.0234, and of two measures 0.046, which is 18.4 of 400 with a deviation of
  // 4.2. Hall's p can only be larger.
  expect(positive).toBeLessThan(18 + 4 * 4.2);
  expect(positive).toBeGreaterThan(2);
});

describe("each arm has an answer, its evidence, and what is missing", () => {
  const linesOf = (...given: Parameters<typeof evidenceOf>) => armLines(judged(evidenceOf(...given)));

  test("with too few seeds, the number of seeds that each answer needs", () => {
    // 2 / 2^7 ≤ 0.05 / 2 tests, and 0.7^9 ≤ 0.05.
    expect(linesOf({ a: times(3, still), b: times(3, still) })).toEqual([
      {
        arm: "b",
        answer: "inconclusive: neither a difference from a nor its absence is shown",
        evidence: "score positive in 0 of 3 runs, a in 0 of 3 (corrected p 1); deadC 0 (margin 0.5, corrected p 1)",
        missing: "7 seeds to show a difference, 9 to rule one out; has 3",
      },
    ]);
    expect(linesOf({ a: times(8, still), b: times(8, still) })[0]?.missing).toBe("9 seeds to rule one out; has 8");
    expect(linesOf({ a: [still], b: [still] })[0]?.missing).toBe("7 seeds to show a difference, 9 to rule one out; has 1");
  });

  test("of a positive or a null verdict, nothing", () => {
    const [rmsnorm, other] = linesOf({ layernorm: times(9, still), rmsnorm: times(9, parted(3)), other: times(9, still) });
    expect(rmsnorm).toMatchObject({ answer: "positive: rmsnorm differs from layernorm in score and deadC", missing: "nothing" });
    expect(rmsnorm?.evidence).toMatch(/^score positive in 9 of 9 runs, layernorm in 0 of 9 \(corrected p 0\.\d+\); deadC \+2 \(\S+ to \S+, margin 0\.5, /);
    expect(other).toMatchObject({ answer: "null: other does not differ from layernorm", missing: "nothing" });
  });

  test("missing runs, and why runs cannot be judged", () => {
    expect(linesOf({ a: times(10, still), b: times(8, parted(3)) })[0]?.missing).toBe("b lacks 2 runs (seeds 50, 51)");
    expect(linesOf({ a: times(4, { score: "degenerate" }), b: times(4, still) })[0]).toMatchObject({
      answer: "degenerate: the runs cannot be judged",
      missing: "the runs of a cannot be scored: no two of the 51 dead tokens shared a black hole at the start",
    });
  });

  test("with enough seeds, the measure that is open", () => {
    const varied = [0, 3, 0, 3, 0, 3, 0, 3, 0, 3].map((deadC) => ({ score: "null", values: { deadC } }) as const);
    expect(linesOf({ a: times(10, still), b: varied })[0]?.missing).toMatch(/^deadC may differ by −\d\S* to \d\S*, margin 0\.5$/);
  });

  test("a verdict of an earlier version keeps its reason", () => {
    const arms = [{ arm: "b", result: "null", reason: "no run splits" } as const];
    expect(armLines({ result: "null", reason: "", rules: [], rulesHash: "", arms })).toEqual([
      { arm: "b", answer: "null", evidence: "no run splits", missing: undefined },
    ]);
  });
});
