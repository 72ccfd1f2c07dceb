import { z } from "zod";
import { holm } from "../statistics/holm.js";
import { mcnemarTest } from "../statistics/mcnemar-test.js";
import { moments } from "../statistics/moments.js";
import { type Pair, pairedDifferences } from "../statistics/paired-differences.js";
import { signFlipInterval } from "../statistics/sign-flip-interval.js";
import { signFlipTest } from "../statistics/sign-flip-test.js";
import { tInterval } from "../statistics/t-interval.js";
import { type ExperimentRun, measuredValue } from "./experiment-run.js";
import type { Rules } from "./rules.js";

const count = z.int().nonnegative();
const figure = z.number().nullable();
const intervalSchema = z.strictObject({ low: z.number(), high: z.number() }).nullable();
const momentsShape = { n: count, mean: figure, sd: figure };
const armSchema = z.strictObject({ values: z.array(figure).describe("An entry a seed, in the order of the experiment's seeds"), ...momentsShape });

/** One measure of one treatment against the control. */
export const measureComparisonSchema = z.strictObject({
  measure: z.string(),
  arm: z.string().describe("The treatment"),
  decides: z.boolean(),
  margin: figure.describe("Of a deciding measure"),
  control: armSchema,
  treatment: armSchema,
  difference: z
    .strictObject({ ...momentsShape, tInterval: intervalSchema, signFlipInterval: intervalSchema })
    .describe("Treatment less control, over the pairs that have both; intervals of the level 1 − alpha"),
  discordant: z.strictObject({ onlyControl: count, onlyTreatment: count }).optional().describe("Of scores: pairs in which one arm alone is positive"),
  test: z
    .enum(["McNemar", "sign-flip", "sign-flip (drawn)"])
    .nullable()
    .describe("What p is of: with all assignments of signs, or with drawn ones; null where there are fewer than two pairs"),
  p: figure.describe("Two-sided"),
  holm: figure.describe("p of a deciding measure, corrected over deciding measures × arms"),
});
export type MeasureComparison = z.output<typeof measureComparisonSchema>;

/** The runs of an experiment, and what they are judged by. */
export interface ExperimentEvidence {
  readonly rules: Rules;
  /** Those that the plan has, whether they have run or not. */
  readonly seeds: readonly number[];
  /** Name of the first arm. */
  readonly control: string;
  /** Names of the other arms. */
  readonly treatments: readonly string[];
  /** Those that have ended. */
  readonly runs: readonly ExperimentRun[];
}

/**
 * Every measure of every treatment against the control, paired by seed.
 *
 * Holm's correction goes over deciding measures × treatments. A deciding measure that cannot be tested counts as p = 1, so that the family stays the one
 * that was announced.
 */
export function pairedStatistics(evidence: ExperimentEvidence, measures: readonly string[]): MeasureComparison[] {
  const { rules, treatments } = evidence;
  const named = [...new Set([...rules.decides, ...measures])];
  const all = treatments.flatMap((arm) => named.map((measure) => compare(evidence, arm, measure)));
  const deciding = all.filter(({ decides }) => decides);
  const corrected = holm(deciding.map(({ p }) => p ?? 1));
  return all.map((comparison) => (comparison.decides ? { ...comparison, holm: corrected[deciding.indexOf(comparison)] ?? null } : comparison));
}

function compare({ rules, seeds, control, runs }: ExperimentEvidence, arm: string, measure: string): MeasureComparison {
  const before = valuesOf(runs, control, measure);
  const after = valuesOf(runs, arm, measure);
  const pairs = pairedDifferences(before, after);
  const differences = pairs.map(({ difference }) => difference);
  const level = 1 - rules.alpha;
  const decides = rules.decides.includes(measure);
  return {
    measure,
    arm,
    decides,
    margin: decides ? (rules.margin[measure] ?? 0) : null,
    control: described(seeds, before),
    treatment: described(seeds, after),
    difference: { ...moments(differences), tInterval: tInterval(differences, level), signFlipInterval: signFlipInterval(differences, level) },
    ...(measure === "score" ? scoreTest(pairs) : valueTest(differences)),
    holm: null,
  };
}

function valuesOf(runs: readonly ExperimentRun[], arm: string, measure: string): Map<number, number | null> {
  return new Map(runs.filter((run) => run.arm === arm).map((run) => [run.seed, measuredValue(run, measure)]));
}

function described(seeds: readonly number[], bySeed: ReadonlyMap<number, number | null>): MeasureComparison["control"] {
  const values = seeds.map((seed) => bySeed.get(seed) ?? null);
  return { values, ...moments(values.filter((value) => value !== null)) };
}

function scoreTest(pairs: readonly Pair[]): Pick<MeasureComparison, "discordant" | "test" | "p"> {
  const onlyControl = pairs.filter(({ difference }) => difference < 0).length;
  const onlyTreatment = pairs.filter(({ difference }) => difference > 0).length;
  const discordant = { onlyControl, onlyTreatment };
  if (pairs.length < 2) return { discordant, test: null, p: null };
  return { discordant, test: "McNemar", p: mcnemarTest(onlyControl, onlyTreatment) };
}

function valueTest(differences: readonly number[]): Pick<MeasureComparison, "test" | "p"> {
  const found = signFlipTest(differences);
  if (found === null) return { test: null, p: null };
  return { test: found.method === "all" ? "sign-flip" : "sign-flip (drawn)", p: found.p };
}
