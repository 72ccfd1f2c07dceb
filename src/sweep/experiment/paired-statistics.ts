import { z } from "zod";
import { fairTail } from "../statistics/binomial-tests.js";
import { pairedEValues } from "../statistics/e-values.js";
import { holm, moments, type Pair, pairedDifferences } from "../statistics/moments.js";
import { type PairedTest, pairedTest } from "../statistics/paired-test.js";
import { maxExactValues, signFlipInterval } from "../statistics/sign-flip-test.js";
import { tInterval } from "../statistics/t-tests.js";
import { type ExperimentEvidence, type MeasuredRun, measuredValue } from "./read-experiment-run.js";
import { minPairsForNull, minSeeds, type Rules } from "./rules.js";
import { type SequentialArm, sequentialEvidence } from "./sequential.js";

const count = z.int().nonnegative();
const figure = z.number().nullable();
const intervalSchema = z.strictObject({ low: z.number(), high: z.number() }).nullable();
const momentsShape = { n: count, mean: figure, sd: figure };
const armSchema = z.strictObject({ values: z.array(figure).describe("One entry per seed, in the order of the experiment's seeds"), ...momentsShape });

/** One measure of one treatment against the control. */
export const measureComparisonSchema = z.strictObject({
  measure: z.string(),
  arm: z.string().describe("The treatment"),
  decides: z.boolean(),
  margin: figure.describe("Of a deciding measure"),
  control: armSchema,
  treatment: armSchema,
  difference: z
    .strictObject({
      ...momentsShape,
      tInterval: intervalSchema,
      signFlipInterval: intervalSchema,
      centre: figure.optional().describe("The tested value: the mean, or the median if the rules say `median`"),
      interval: intervalSchema.optional().describe("Interval of the centre by the tests of the verdict; null for scores, and if there are too few pairs"),
      floor: figure.optional().describe("Half the minimum width of the interval: a change of 1 at a rate that the pairs can miss"),
      skewness: figure.optional(),
    })
    .describe("Treatment minus control, over the pairs that have both; intervals of the level 1 − alpha"),
  discordant: z.strictObject({ onlyControl: count, onlyTreatment: count }).optional().describe("Of scores: pairs in which only one arm is positive"),
  test: z
    .enum([
      "McNemar",
      "sign-flip",
      "sign-flip (drawn)",
      "sign-flip and Hall",
      "sign-flip (drawn) and Hall",
      "sign",
      "permutation and Welch",
      "permutation (drawn) and Welch",
      "Fisher",
      "e-value",
    ])
    .nullable()
    .describe(
      "The test of p; for two tests the larger p, over all sign assignments or drawn ones; null for fewer than three pairs. `e-value`: 1 / the largest e value of a deciding measure under sequential rules, at most 1",
    ),
  p: figure.describe("Two-sided, against the margin"),
  pNull: figure.optional().describe("p that the difference is at least the margin; null for scores and for a margin of 0"),
  medianP: figure.optional().describe("p of the sign test, if the differences are skewed and the mean is tested; under sequential rules by e values of signs"),
  outcome: z.enum(["differs", "equal", "open"]).optional().describe("Of a deciding measure: shown to differ, shown to be equal, or neither"),
  holm: figure.describe(
    "p of a deciding measure, corrected over deciding measures × arms; under sequential rules 1 / the largest corrected e value, at most 1",
  ),
});
export type MeasureComparison = z.output<typeof measureComparisonSchema>;

/**
 * Compare every measure of every treatment with the control, paired by seed. Holm's correction covers deciding measures × treatments; a deciding measure that
 * cannot be tested counts as p = 1.
 */
export function pairedStatistics(evidence: ExperimentEvidence<MeasuredRun>, measures: readonly string[]): MeasureComparison[] {
  const { rules, treatments } = evidence;
  const named = [...new Set([...rules.decides, ...measures])];
  if (rules.sequential) return sequentialEvidence(evidence).arms.flatMap((arm) => named.map((measure) => sequentialComparison(evidence, arm, measure)));
  const all = treatments.flatMap((arm) => named.map((measure) => compare(evidence, arm, measure)));
  const deciding = all.filter(({ decides }) => decides);
  const corrected = holm(deciding.map(({ p }) => p ?? 1));
  return all.map((comparison) => (comparison.decides ? decided(comparison, corrected[deciding.indexOf(comparison)] ?? 1, evidence) : comparison));
}

function compare({ rules, seeds, control, runs, binary = ["score"] }: ExperimentEvidence<MeasuredRun>, arm: string, measure: string): MeasureComparison {
  const before = valuesOf(runs, control, measure);
  const after = valuesOf(runs, arm, measure);
  const pairs = pairedDifferences(before, after);
  const differences = pairs.map(({ difference }) => difference);
  const isEnough = pairs.length >= minSeeds;
  const level = 1 - rules.alpha;
  const decides = rules.decides.includes(measure);
  const margin = decides ? (rules.margin[measure] ?? 0) : null;
  const lacking = (rules.sequential ? before.size : seeds.length) - pairs.length;
  const areWhole = pairs.every((pair) => Number.isInteger(pair.control) && Number.isInteger(pair.treatment));
  const options = { margin: margin ?? 0, lacking, level, test: rules.test, areWhole };
  const described = {
    ...moments(differences),
    tInterval: isEnough ? tInterval(differences, level) : null,
    signFlipInterval: isEnough ? signFlipInterval(differences, level) : null,
  };
  const tested = binary.includes(measure) ? scoreTest(pairs, lacking) : valueTest(pairedTest(differences, options), pairs.length, rules, options.margin);
  return {
    measure,
    arm,
    decides,
    margin,
    control: arrangedBySeed(seeds, before),
    treatment: arrangedBySeed(seeds, after),
    ...tested,
    difference: { ...described, ...tested.difference },
    holm: null,
  };
}

function valuesOf(runs: readonly MeasuredRun[], arm: string, measure: string): Map<number, number | null> {
  return new Map(runs.filter((run) => run.arm === arm).map((run) => [run.seed, measuredValue(run, measure)]));
}

function arrangedBySeed(seeds: readonly number[], bySeed: ReadonlyMap<number, number | null>): MeasureComparison["control"] {
  const values = seeds.map((seed) => bySeed.get(seed) ?? null);
  return { values, ...moments(values.filter((value) => value !== null)) };
}

type Tested = Pick<MeasureComparison, "discordant" | "test" | "p" | "pNull" | "medianP"> & { difference: Partial<MeasureComparison["difference"]> };

/** McNemar's exact test of scores; a pair without a score counts against the difference. */
function scoreTest(pairs: readonly Pair[], lacking: number): Tested {
  const onlyControl = pairs.filter(({ difference }) => difference < 0).length;
  const onlyTreatment = pairs.filter(({ difference }) => difference > 0).length;
  const discordant = { onlyControl, onlyTreatment };
  const centre = moments(pairs.map(({ difference }) => difference)).mean;
  const difference = { centre, interval: null, floor: 0 };
  if (pairs.length < minSeeds) return { discordant, test: null, p: null, pNull: null, difference };
  const against = onlyControl + onlyTreatment === 0 ? 0 : lacking;
  const p = Math.min(1, 2 * fairTail(Math.min(onlyControl, onlyTreatment) + against, onlyControl + onlyTreatment + against));
  return { discordant, test: "McNemar", p, pNull: null, difference };
}

function valueTest(found: PairedTest | null, pairs: number, { test }: Rules, margin: number): Tested {
  if (found === null) return { test: null, p: null, pNull: null, difference: { centre: null, interval: null, floor: null, skewness: null } };
  const { centre, interval, floor, skewness, p, pNull, medianP } = found;
  return {
    test: test === "median" ? "sign" : pairs > maxExactValues ? "sign-flip (drawn) and Hall" : "sign-flip and Hall",
    p,
    pNull: margin === 0 ? null : pNull,
    ...(medianP !== undefined && { medianP }),
    difference: { centre, interval, floor, skewness },
  };
}

/** A measure over the judged pairs of an arm. A deciding measure has the p values of its e values, which hold at any time: p = min(1, 1 / largest e). */
function sequentialComparison(evidence: ExperimentEvidence<MeasuredRun>, { arm, pairs, measures }: SequentialArm, measure: string): MeasureComparison {
  const judged = new Set(evidence.seeds.slice(0, pairs));
  const runs = evidence.runs.filter(({ seed }) => judged.has(seed));
  const comparison = compare({ ...evidence, runs }, arm, measure);
  const found = measures.find((one) => one.measure === measure);
  if (found === undefined) return comparison;
  const anytime = (values: readonly number[]) => Math.min(1, 1 / Math.max(1, ...values));
  const isTested = comparison.test !== null;
  return {
    ...comparison,
    test: isTested ? "e-value" : null,
    p: isTested ? anytime(found.e) : null,
    pNull: comparison.pNull == null ? null : anytime(found.eNull),
    ...(comparison.medianP !== undefined && { medianP: anytime(medianEValues(comparison)) }),
    holm: anytime(found.corrected),
    outcome: found.outcome,
  };
}

function medianEValues({ control, treatment, margin }: MeasureComparison): readonly number[] {
  const differences = control.values.flatMap((value, at) => {
    const after = treatment.values[at] ?? null;
    return value === null || after === null ? [] : [after - value];
  });
  return pairedEValues(differences, { margin: margin ?? 0, test: "median" }).positive;
}

/** Add the corrected p and the outcome to a deciding measure. */
function decided(comparison: MeasureComparison, corrected: number, { rules, seeds }: Pick<ExperimentEvidence, "rules" | "seeds">): MeasureComparison {
  const { difference, pNull } = comparison;
  const [margin, floor, centre] = [comparison.margin ?? 0, difference.floor ?? 0, difference.centre ?? null];
  const differs = centre !== null && corrected <= rules.alpha && Math.abs(centre) - floor > margin;
  const isWhole = difference.n === seeds.length && difference.n >= minPairsForNull(rules);
  const isWithin = margin === 0 ? areEqual(comparison) : centre !== null && (pNull ?? 1) <= rules.alpha && Math.abs(centre) + floor < margin;
  return { ...comparison, holm: corrected, outcome: differs ? "differs" : isWhole && isWithin ? "equal" : "open" };
}

/** Whether every pair has the same value in both arms, or none. */
export function areEqual({ control, treatment }: MeasureComparison): boolean {
  return control.values.every((value, at) => value === treatment.values[at]);
}
