import { count } from "../../text/format.js";
import {
  type ExperimentVerdict,
  overall,
  relation,
  shownBound,
  shownFigure,
  shownInterval,
  shownP,
  signed,
  skewNote,
} from "../experiment/experiment-verdict.js";
import { areEqual, type MeasureComparison } from "../experiment/paired-statistics.js";
import type { ExperimentEvidence, MeasuredRun } from "../experiment/read-experiment-run.js";
import { minPairsForNull, minPairsForPositive, minSeeds, type Rules, rulesHash, shownLevel, statedRules } from "../experiment/rules.js";
import { comparedE, judgedPairs, neededPairs, progressOf, type SequentialEvidence, type SequentialProgress } from "../experiment/sequential.js";
import { upperBoundOfNone } from "../statistics/binomial-tests.js";
import { maxExactValues } from "../statistics/sign-flip-test.js";
import { permutations } from "../statistics/unpaired-test.js";

/** The rows of a table and how to judge them. */
export interface TableEvidence extends ExperimentEvidence<MeasuredRun> {
  readonly pairing: "paired" | "unpaired";
  /** Name of each seed in the table. */
  readonly labels: readonly string[];
  readonly binary: readonly string[];
}

interface Case extends TableEvidence {
  readonly arm: string;
  /** The judged pairs of sequential rules. */
  readonly progress: SequentialProgress | undefined;
  /** Number of tests in Holm's correction. */
  readonly family: number;
}

type ArmVerdict = ExperimentVerdict["arms"][number];

/**
 * Judge every treatment of a table against the control, by the rules of experiments.
 * @param notes limits that hold for the whole table. @param sequence the evidence of sequential rules.
 */
export function judgementVerdict(
  evidence: TableEvidence,
  comparisons: readonly MeasureComparison[],
  { notes, sequence }: { readonly notes: readonly string[]; readonly sequence: SequentialEvidence | undefined },
): ExperimentVerdict {
  const { rules, treatments } = evidence;
  const family = rules.decides.length * treatments.length;
  const arms = treatments.map((arm): ArmVerdict => {
    const deciding = comparisons.filter((comparison) => comparison.arm === arm && comparison.decides);
    const limits = deciding.flatMap(skewNote);
    const one = { ...evidence, arm, family, progress: sequence && progressOf(sequence, arm) };
    return { arm, ...judgeArm(one, deciding), evidence: evidenceLine(one, deciding), ...(limits.length > 0 && { notes: limits }) };
  });
  const [only, ...others] = arms;
  const isOne = only !== undefined && others.length === 0;
  const ofArms = arms.flatMap(({ arm, notes: limits = [] }) => limits.map((limit) => (isOne ? limit : `${arm}: ${limit}`)));
  const all = [...notes, ...ofArms];
  return {
    result: overall(arms.map(({ result }) => result)),
    reason: isOne ? only.reason : arms.map(({ arm, result, reason }) => `${arm} ${result}: ${reason}`).join(". "),
    ...(all.length > 0 && { notes: all }),
    rules: statedTableRules(evidence, family),
    rulesHash: rulesHash(rules),
    arms,
  };
}

function judgeArm(each: Case, deciding: readonly MeasureComparison[]): Omit<ArmVerdict, "arm"> {
  const { arm, control } = each;
  const open = { result: "inconclusive", answer: `neither a difference from ${control} nor its absence is shown` } as const;
  const empty = deciding.flatMap(({ measure, control: one, treatment }) => [
    ...(one.n === 0 ? [`no row of ${control} has a value of ${measure}`] : []),
    ...(treatment.n === 0 ? [`no row of ${arm} has a value of ${measure}`] : []),
  ]);
  if (empty.length > 0) return { result: "degenerate", answer: "the rows cannot be judged", reason: empty.join("; "), missing: empty.join("; ") };
  const runs = Math.min(...deciding.map(({ difference }) => difference.n));
  const missing = each.progress ? neededPairs(each.progress) : missingRuns(each, deciding, runs);
  if (runs < minSeeds) return { ...open, reason: observation(each, deciding, runs), missing };
  const different = deciding.filter(({ outcome }) => outcome === "differs");
  if (different.length > 0) {
    const answer = `${arm} differs from ${control} in ${joined(different.map(({ measure }) => measure))}`;
    return { result: "positive", answer, reason: different.map((one) => differentReason(each, one)).join("; "), missing: null };
  }
  const obstacles = deciding.flatMap((one) => obstacle(each, one) ?? []);
  if (obstacles.length === 0) return { result: "null", answer: `${arm} does not differ from ${control}`, reason: nullReason(each, deciding), missing: null };
  const corrected = deciding.map(({ measure, holm }) => `${measure} ${shownP(holm)}`).join(", ");
  const few = each.progress ? [judgedPairs(each.progress)] : tooFewForPositive(each, deciding);
  const reason = `${[...obstacles, ...few].join("; ")}. Corrected p: ${corrected}`;
  return { ...open, reason, missing: missing ?? obstacles.join("; ") };
}

/** `loss, accuracy and solved` */
function joined(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** `12 pairs`, or `8 against 4 runs, unpaired`. */
function size({ pairing, progress }: Case, { control, treatment, difference }: MeasureComparison): string {
  if (progress) return judgedPairs(progress);
  return pairing === "paired" ? count(difference.n, "pair") : `${treatment.n} against ${count(control.n, "run")}, unpaired`;
}

/** Too few runs for a test: the values are listed. */
function observation(each: Case, deciding: readonly MeasureComparison[], runs: number): string {
  const listed = deciding.map(({ measure, control, treatment, difference }) => {
    if (each.pairing === "unpaired") return `${measure} ${treatment.values.map(shownFigure).join(", ")} against ${control.values.map(shownFigure).join(", ")}`;
    const pairs = control.values.flatMap((before, at) => {
      const after = treatment.values[at] ?? null;
      return before === null || after === null ? [] : [`${signed(after - before)} (seed ${each.labels[at]})`];
    });
    return difference.n === 0 ? `${measure} in no pair` : `${measure} ${pairs.join(", ")}`;
  });
  const few = each.pairing === "paired" ? `${count(runs, "pair")} of seeds cannot give a verdict` : `${count(runs, "run")} of an arm cannot give a verdict`;
  const lead = runs === 1 ? "One seed has no spread: an observation, no comparison" : `${few}, ${minSeeds} are needed`;
  return `${lead}. Differences: ${listed.join("; ")}`;
}

/** Minimum runs per arm with which a measure can be shown to differ. */
function leastForPositive({ rules, family, pairing }: Case): number {
  if (pairing === "paired") return minPairsForPositive(rules, family);
  let n = minSeeds;
  while ((2 * family) / permutations(n, n) > rules.alpha) n++;
  return n;
}

/** Whether the runs can reach alpha at all. */
function canBePositive(each: Case, { control, treatment, difference }: MeasureComparison): boolean {
  if (each.pairing === "paired") return difference.n >= leastForPositive(each);
  return (2 * each.family) / permutations(control.n, treatment.n) <= each.rules.alpha;
}

/** `8 seeds to show a difference, 9 to rule one out; has 3`; null if there are enough for both. */
function missingRuns(each: Case, deciding: readonly MeasureComparison[], runs: number): string | null {
  const [positive, none] = [leastForPositive(each), minPairsForNull(each.rules)];
  const unit = each.pairing === "paired" ? "seed" : "run";
  const needed = [
    ...(deciding.some((one) => canBePositive(each, one)) ? [] : [`${count(positive, unit)} to show a difference`]),
    ...(runs < none ? [`${count(none, unit)} to rule one out`] : []),
  ];
  return needed.length === 0 ? null : `${needed.join(", ")}; has ${runs}${unit === "run" ? " in the smaller arm" : ""}`;
}

function tooFewForPositive(each: Case, deciding: readonly MeasureComparison[]): string[] {
  const [first] = deciding;
  if (first === undefined || deciding.some((one) => canBePositive(each, one))) return [];
  const least = leastForPositive(each);
  const enough = each.pairing === "paired" ? String(least) : `${least} against ${least}`;
  return [`${size(each, first)} cannot reach p ≤ ${each.rules.alpha} with ${count(each.family, "test")}; ${enough} can`];
}

/** `loss −0.2 (−0.21 to −0.19, margin 0, corrected p 0.0005)` */
function evidenceLine(each: Case, deciding: readonly MeasureComparison[]): string {
  const parts = deciding.map((one) => {
    const { measure, margin, difference, holm } = one;
    const p = each.progress ? comparedE(each.progress, measure, each.rules) : `corrected p ${shownP(holm)}`;
    if (each.binary.includes(measure)) return `${shares(each, one).replace(`${each.arm} has `, "")} (${p})`;
    const centre = difference.centre ?? difference.mean;
    if (centre === null) return `${measure} in no pair`;
    return `${measure} ${signed(centre)} (${difference.interval ? `${shownInterval(difference.interval)}, ` : ""}margin ${shownFigure(margin)}, ${p})`;
  });
  const judged = each.progress ? `; ${judgedPairs(each.progress)}` : each.pairing === "unpaired" ? "; unpaired" : "";
  return `${parts.join("; ")}${judged}`;
}

/** `new has solved in 9 of 10 runs, base in 0 of 10` */
function shares({ arm, control }: Case, { measure, control: before, treatment: after }: MeasureComparison): string {
  const ones = ({ values }: MeasureComparison["control"]) => values.filter((value) => value === 1).length;
  return `${arm} has ${measure} in ${ones(after)} of ${count(after.n, "run")}, ${control} in ${ones(before)} of ${before.n}`;
}

function differentReason(each: Case, one: MeasureComparison): string {
  const { measure, margin, difference, holm } = one;
  const p = each.progress ? comparedE(each.progress, measure, each.rules) : `corrected p ${relation(holm)}`;
  if (each.binary.includes(measure)) return `${shares(each, one)}${each.progress ? ` ${size(each, one)}` : ""}; ${p}`;
  const centre = difference.centre ?? 0;
  const interval = difference.interval ? `${shownLevel(each.rules)} interval ${shownInterval(difference.interval)}, ` : "";
  const beyond = (margin ?? 0) === 0 ? "" : `, beyond the margin of ${shownFigure(margin)}`;
  const median = each.rules.test === "median" ? " in the median" : "";
  const direction = centre > 0 ? "exceeds" : "is below";
  return `${each.arm} ${direction} ${each.control} in ${measure} by ${shownFigure(Math.abs(centre))}${median} (${interval}${size(each, one)})${beyond}; ${p}`;
}

/** Why a deciding measure is not shown to be equal; undefined if it is. */
function obstacle(each: Case, one: MeasureComparison): string | undefined {
  const { measure, margin, difference, outcome } = one;
  if (outcome === "equal") return undefined;
  const { n, interval = null } = difference;
  const lacking = lackingRuns(each, one);
  if (lacking > 0)
    return `${count(lacking, each.pairing === "paired" ? "pair" : "run")} of ${each.arm} and ${each.control} ${lacking === 1 ? "has" : "have"} no ${measure}`;
  const least = minPairsForNull(each.rules);
  if (isAllEqual(each, one) && n < least) {
    const rate = shownBound(upperBoundOfNone(n, 1 - each.rules.alpha) ?? 1, "down");
    return `${size(each, one)} with equal ${measure} cannot rule out a true rate of ${rate}; ${least - n} more like them would give null`;
  }
  if (each.binary.includes(measure)) return shares(each, one);
  if (margin === 0) return `${measure} may differ${interval === null ? "" : `, by ${shownInterval(interval)}`}, and its margin is 0`;
  if (interval === null) return `${size(each, one)} give no ${shownLevel(each.rules)} interval for ${measure}`;
  const isInside = interval.low > -(margin ?? 0) && interval.high < (margin ?? 0);
  if (isInside && n < least) return `${measure} needs ${least} ${each.pairing === "paired" ? "pairs" : "runs per arm"} for null and has ${n}`;
  return `${measure} may differ by ${shownInterval(interval)}, margin ${shownFigure(margin)}`;
}

/** Number of judged pairs, or of runs of both arms, without a value. */
function lackingRuns({ pairing, progress }: Case, { control, treatment }: MeasureComparison): number {
  if (pairing === "unpaired") return [...control.values, ...treatment.values].filter((value) => value === null).length;
  const judged = control.values.slice(0, progress?.pairs);
  return judged.filter((value, at) => value === null || (treatment.values[at] ?? null) === null).length;
}

/** Whether all pairs are equal, or all values of both arms if there are no pairs. */
function isAllEqual({ pairing }: Case, one: MeasureComparison): boolean {
  const values = [...one.control.values, ...one.treatment.values];
  return pairing === "paired" ? areEqual(one) : values.every((value) => value !== null && value === values[0]);
}

function nullReason(each: Case, deciding: readonly MeasureComparison[]): string {
  const level = shownLevel(each.rules);
  return deciding
    .map((one) => {
      const { measure, margin, difference } = one;
      const ruledOut = `so a true rate above ${shownBound(upperBoundOfNone(difference.n, 1 - each.rules.alpha) ?? 1)} is ruled out (${level})`;
      if (margin === 0) return `${measure} is equal in all of ${size(each, one)}, ${ruledOut}`;
      return `${measure} differs by less than ${shownFigure(margin)} (${size(each, one)})`;
    })
    .join("; ");
}

/** The rules in words, one sentence each. */
function statedTableRules({ rules, treatments, pairing, binary }: TableEvidence, family: number): string[] {
  const { decides, margin, alpha, nullBelow } = rules;
  if (rules.sequential) return statedRules(rules, treatments.length).filter((rule) => !rule.startsWith("score:"));
  const isPaired = pairing === "paired";
  const zeroOrOne = decides.filter((name) => binary.includes(name));
  const shares = zeroOrOne.length === 0 ? "" : `${zeroOrOne.join(", ")} (0 or 1) by ${isPaired ? "McNemar's exact test" : "Fisher's exact test"}; other `;
  return [
    `decides: ${decides.join(", ")}; every other measure is described, not judged`,
    `margin: differences of at most this size count as none: ${decides.map((name) => `${name} ${margin[name] ?? 0}`).join(", ")}`,
    `alpha: ${alpha}, two-sided, after Holm's correction over ${count(family, "test")} (${count(decides.length, "deciding measure")} × ${count(treatments.length, "arm")} against the control)`,
    `test: ${isPaired ? "pairs by seed" : "unpaired"}; ${shares}${measureTest(rules, isPaired)}. A missing value counts against a difference`,
    "positive: a deciding measure differs by more than its margin, with a corrected p of at most alpha against the margin",
    `null: every deciding measure is shown to differ by less than its margin (p of at most alpha against both ends), or is equal in every ${isPaired ? "pair" : "run"} where the margin is 0; no value is missing; needs ${minPairsForNull(rules)} ${isPaired ? "pairs" : "runs per arm"}, which rule out differences at a rate of ${nullBelow}`,
    `degenerate: an arm has no value of a deciding measure. inconclusive: all else, and fewer than ${minSeeds} ${isPaired ? "pairs" : "runs per arm"}`,
  ];
}

function measureTest({ test }: Rules, isPaired: boolean): string {
  if (!isPaired) return "measures by the larger p of the permutation test of the difference of means (exact up to 200,000 permutations) and Welch's t test";
  if (test === "median") return "measures by the sign test of the median";
  return `measures by the larger p of the sign-flip test (exact up to ${maxExactValues} pairs, 100,000 draws with seed 0 beyond) and Hall's skew-corrected t test`;
}
