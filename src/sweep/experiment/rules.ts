import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { count } from "../../text/format.js";
import { pairsForNull } from "../statistics/binomial-tests.js";
import { maxExactValues } from "../statistics/sign-flip-test.js";
import { measureProblem } from "./measures.js";

/** Default margin: half a black hole. */
const defaultMargins: Readonly<Record<string, number>> = { deadC: 0.5 };

/** Fewer seeds never give a verdict. */
export const minSeeds = 3;
/** The tests are not calibrated above this level. */
const maxAlpha = 0.2;
const defaultNullBelow = 0.3;
/** Quotients of decimals can exceed a round number by this share. */
const roundingNoise = 1e-9;
const defaultTest = "mean";

/** The rules of an experiment file: all optional, and fixed in advance. */
export const rulesSchema = z
  .strictObject({
    score: z
      .enum(["notebook"])
      .default("notebook")
      .describe("How each run is scored alone. `notebook`: positive when dead tokens that shared a black hole at the start no longer share one."),
    decides: z.array(z.string().min(1)).min(1).default(["score", "deadC"]).describe("Measures that decide the verdict; all others are described, not judged."),
    margin: z
      .record(z.string(), z.number().min(0))
      .optional()
      .describe("Largest mean difference between two arms that counts as none, by deciding measure (default: 0.5 for deadC, else 0). Not for score."),
    alpha: z
      .number()
      .gt(0)
      .max(maxAlpha)
      .default(0.05)
      .describe("Significance level of the verdict, over all deciding measures and arms (Holm); at most 0.2. Intervals have the level 1 − alpha."),
    nullBelow: z
      .number()
      .gt(0)
      .lt(1)
      .default(defaultNullBelow)
      .describe("Null needs enough pairs to rule out, at the level 1 − alpha, that a difference occurs at this rate without showing: 9 pairs for 0.3."),
    test: z
      .enum(["mean", "median"])
      .default(defaultTest)
      .describe("Test of a measure. `mean`: sign-flip test and Hall's t. `median`: sign test, exact for any distribution of the differences."),
    sequential: z
      .boolean()
      .default(false)
      .describe(
        "Judge after every pair, in the order of the seeds, by e-values, and stop when decided. The number of seeds is the maximum; it may be raised later.",
      ),
  })
  .superRefine(({ decides, margin = {} }, context) => {
    for (const [at, name] of decides.entries()) {
      const problem = decides.indexOf(name) < at ? `names ${JSON.stringify(name)} twice` : measureProblem(name);
      if (problem !== undefined) context.addIssue({ code: "custom", path: ["decides", at], message: problem });
    }
    for (const name of Object.keys(margin).filter((each) => !decides.includes(each))) {
      context.addIssue({
        code: "custom",
        path: ["margin", name],
        message: `${name} is not a deciding measure: a margin applies to one of ${decides.join(", ")}`,
      });
    }
    if ((margin["score"] ?? 0) > 0) {
      const message = "score is 0 or 1 and has no margin. Remove it, and set nullBelow to the rate of differing pairs that you tolerate";
      context.addIssue({ code: "custom", path: ["margin", "score"], message });
    }
  });
export type RulesInput = z.input<typeof rulesSchema>;

/** The complete rules of an experiment. */
export interface Rules {
  readonly score: "notebook";
  readonly decides: readonly string[];
  /** Of every deciding measure. */
  readonly margin: Readonly<Record<string, number>>;
  readonly alpha: number;
  /** Rate of differences that null rules out. */
  readonly nullBelow: number;
  readonly test: "mean" | "median";
  /** Judge after every pair by e-values, up to the number of planned seeds. */
  readonly sequential: boolean;
}

/** Rules as a plan stores them. Newer fields are omitted if they have their default, so that older experiments keep their identity. */
export const storedRulesSchema = z.strictObject({
  score: z.literal("notebook"),
  decides: z.array(z.string()).readonly(),
  margin: z.record(z.string(), z.number()),
  alpha: z.number(),
  nullBelow: z.number().optional(),
  test: z.enum(["mean", "median"]).optional(),
  sequential: z.literal(true).optional(),
});
type StoredRules = z.output<typeof storedRulesSchema>;

/** Rules with their defaults. */
export function appliedRules({ margin = {}, ...rules }: z.output<typeof rulesSchema>): Rules {
  return { ...rules, margin: Object.fromEntries(rules.decides.map((name) => [name, margin[name] ?? defaultMargins[name] ?? 0])) };
}

export function storedRules({ score, decides, margin, alpha, nullBelow, test, sequential }: Rules): StoredRules {
  return {
    score,
    decides,
    margin,
    alpha,
    ...(nullBelow !== defaultNullBelow && { nullBelow }),
    ...(test !== defaultTest && { test }),
    ...(sequential && { sequential: true }),
  };
}

export function rulesFromStored({ nullBelow = defaultNullBelow, test = defaultTest, sequential, ...rules }: StoredRules): Rules {
  return { ...rules, nullBelow, test, sequential: sequential === true };
}

/** SHA-256 of rules, in hex. Experiments with equal hashes are judged alike. */
export function rulesHash(rules: Rules): string {
  const { margin, ...stored } = storedRules(rules);
  const { score, decides, ...others } = stored;
  return createHash("sha256")
    .update(JSON.stringify({ score, decides, margin: decides.map((name) => margin[name]), ...others }))
    .digest("hex");
}

/** The level of the intervals: `95 %`. */
export function shownLevel({ alpha }: Pick<Rules, "alpha">): string {
  return `${Number((100 * (1 - alpha)).toPrecision(6))} %`;
}

/** Minimum pairs for a null verdict. */
export function minPairsForNull({ alpha, nullBelow }: Rules): number {
  return pairsForNull(nullBelow, 1 - alpha);
}

/** Minimum pairs with which a measure can be shown to differ: 2 / 2^n ≤ alpha / tests. */
export function minPairsForPositive({ alpha }: Rules, tests: number): number {
  return 1 + Math.ceil(Math.log2(tests / alpha));
}

/** Whether a verdict states these rules as this version applies them. */
export function isJudgedBy(rules: Rules, verdict: { readonly rules: readonly string[]; readonly arms: readonly unknown[] }): boolean {
  return isDeepStrictEqual(verdict.rules, statedRules(rules, verdict.arms.length));
}

/** The rules in words, one sentence each. @param treatments number of arms besides the control. */
export function statedRules(rules: Rules, treatments: number): string[] {
  const { decides, alpha, nullBelow, test } = rules;
  const family = decides.length * treatments;
  const tests = `${count(family, "test")} (${count(decides.length, "deciding measure")} × ${count(treatments, "arm")} against the control)`;
  if (rules.sequential) return [...judgedValues(rules), ...sequentialRules(rules, family, tests)];
  const shift =
    test === "median"
      ? "every other measure by the sign test of the median"
      : `every other measure by the larger p of the sign-flip test (exact up to ${maxExactValues} pairs, 100,000 draws with seed 0 beyond) and Hall's skew-corrected t test`;
  return [
    ...judgedValues(rules),
    `alpha: ${alpha}, two-sided, after Holm's correction over ${tests}`,
    `test: pairs by seed; score by McNemar's exact test, ${shift}. A pair without a value counts against a difference`,
    `positive: a deciding measure differs by more than its margin, with a corrected p of at most alpha against the margin; needs ${minPairsForPositive(rules, family)} pairs`,
    `null: every deciding measure is shown to differ by less than its margin (p of at most alpha against both ends), or is equal in every pair where the margin is 0; no pair lacks one; where score decides, no run scores positive; where a census decides, scores agree in every pair; needs ${minPairsForNull(rules)} pairs, which rule out differences at a rate of ${nullBelow}`,
    `degenerate: an arm's runs cannot be scored. inconclusive: all else, fewer than ${minSeeds} pairs, and as long as a planned run is missing`,
  ];
}

function judgedValues({ decides, margin }: Rules): string[] {
  return [
    "score: each run by itself, by the notebook's rule: positive when dead tokens that shared a black hole at the start no longer share one, else null",
    `decides: ${decides.join(", ")}; every other measure is described, not judged`,
    `margin: differences of at most this size count as none: ${decides.map((name) => `${name} ${margin[name]}`).join(", ")}`,
  ];
}

function sequentialRules(rules: Rules, family: number, tests: string): string[] {
  const { alpha, nullBelow, test } = rules;
  const e = shownThreshold(rules);
  const shownLevelOf = (level: number) => String(Number(level.toPrecision(3)));
  const bets =
    test === "median"
      ? "e values that bet on the sign of each difference"
      : `e values that bet on the sign and size of each difference; for every measure except score, Hall's skew-corrected t test must agree with p of at most ${shownLevelOf(guardLevel(rules, family))} for a difference and ${shownLevelOf(guardLevel(rules))} for null`;
  return [
    `alpha: ${alpha}, two-sided, over all looks; a corrected e of ${e} (1 / alpha), after e-Holm over ${tests}`,
    `sequential: pairs are judged in the order of the seeds, after every pair; ${bets}. A pair without a value counts against a difference`,
    `positive: a deciding measure differs by more than its margin, with a corrected e of at least ${e} against the margin`,
    `null: every deciding measure is shown to differ by less than its margin (e of at least ${e} against both ends), or is equal in every pair where the margin is 0; no pair lacks one; where score decides, no run scores positive; where a census decides, scores agree in every pair; needs ${minPairsForNull(rules)} pairs, which rule out differences at a rate of ${nullBelow}`,
    "stop: an arm that is decided, or can no longer be decided within the planned seeds, gets no more pairs and keeps its e values; the number of seeds may be raised later",
    `degenerate: an arm's runs cannot be scored. inconclusive: all else, and fewer than ${minSeeds} pairs`,
  ];
}

/** A corrected e value of at least this shows a difference. */
export function eThreshold({ alpha }: Pick<Rules, "alpha">): number {
  return 1 / alpha;
}

/** The threshold of e, rounded up to three digits: `20`. */
export function shownThreshold(rules: Pick<Rules, "alpha">): string {
  const threshold = eThreshold(rules);
  const unit = 10 ** (Math.floor(Math.log10(threshold)) - 2);
  return String(Number((Math.ceil(threshold / unit - roundingNoise) * unit).toPrecision(3)));
}

/** Under sequential rules, Hall's test guards against skew at this fraction of alpha. */
const guardShare = 1 / 20;

/** Largest p of Hall's test with which a sequential rule decides. @param tests number of tests that it is corrected for. */
export function guardLevel({ alpha }: Pick<Rules, "alpha">, tests = 1): number {
  return (alpha * guardShare) / tests;
}

/** An earlier verdict of an experiment over other seeds. */
export const lookSchema = z.strictObject({ seeds: z.array(z.int().nonnegative()).readonly(), result: z.string() });
export type Look = z.output<typeof lookSchema>;

/** The seeds and verdicts of a document. */
interface Judged {
  readonly seeds: readonly number[];
  readonly control: readonly unknown[];
  readonly treatment: readonly unknown[];
  readonly verdict: { readonly result: string; readonly arms: readonly unknown[] };
  readonly looks?: readonly Look[] | undefined;
  /** Of sequential rules. */
  readonly sequential?: { readonly arms: readonly { readonly pairs: number }[] } | undefined;
}

const isSame = (one: readonly number[], other: readonly number[]) => one.length === other.length && one.every((seed) => other.includes(seed));

/** Whether one list of seeds begins with the other. */
const isBeginning = (one: readonly number[], other: readonly number[]) => one.every((seed, at) => at >= other.length || seed === other[at]);

/**
 * The verdicts over other seeds before this one: those in the last document, and its own if no planned run was missing. Under sequential rules, more and fewer
 * seeds in the same order are not others.
 */
export function earlierLooks(last: Judged | undefined, seeds: readonly number[]): Look[] {
  if (last === undefined) return [];
  const { control, treatment, verdict, looks = [], sequential } = last;
  const isKnown = sequential ? isBeginning : isSame;
  const isWhole = sequential
    ? sequential.arms.some(({ pairs }) => pairs >= minSeeds)
    : control.length === last.seeds.length && treatment.length === last.seeds.length * verdict.arms.length;
  const all = isWhole ? [...looks, { seeds: last.seeds, result: verdict.result }] : [...looks];
  return all.filter((look, at) => !isKnown(look.seeds, seeds) && all.findIndex((other) => isSame(other.seeds, look.seeds)) === at);
}

/** How seeds changed after a result affect the error rates; empty without an earlier look. */
export function secondLook(looks: readonly Look[], rules: Rules, tests: number): string[] {
  if (looks.length === 0) return [];
  if (rules.sequential) {
    return [
      "Second look: this experiment was judged before, and its seeds were replaced or reordered after that result could be read. Sequential rules allow only more or fewer seeds in the same order",
    ];
  }
  const fewest = Math.min(minPairsForNull(rules), minPairsForPositive(rules, tests));
  const listed = looks.map(({ seeds, result }) => `${result} over ${count(seeds.length, "seed")}`).join(", ");
  const lead = `Second look: this experiment was judged before (${listed}), and its seeds were changed after that result could be read`;
  const sequential = "Sequential rules (rules.sequential) allow such looks";
  return looks.every(({ seeds }) => seeds.length < fewest)
    ? [`${lead}. With fewer than ${fewest} seeds only inconclusive was possible, so that look adds no false positives. ${sequential}`]
    : [`${lead}. Each such look adds false positives beyond alpha: about 11 % in all for a look after every pair from 6 to 20 at alpha 0.05. ${sequential}`];
}
